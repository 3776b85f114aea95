use taut::prelude::*;

fn main() {
    let a = Tensor::<Rank2<3, 4>>::ones();
    let b = Tensor::<Rank2<3, 2>>::ones();
    //~ (Const<3>, Const<4>)
    //~ (Const<3>, Const<2>)
    let _ = a + b;
}
