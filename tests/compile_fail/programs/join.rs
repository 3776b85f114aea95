use taut::prelude::*;

fn main() {
    let a = Tensor::<Rank2<2, 3>>::ones();
    let b = Tensor::<Rank2<3, 3>>::ones();
    //~ Const<2>
    //~ Const<3>
    let _ = (a, b).concat::<1>();
}
