use taut::prelude::*;

fn main() {
    let mut a = Tensor::<Rank2<3, 4>>::ones();
    //~ (Const<3>, Const<4>)
    //~ (Const<4>,)
    a *= Tensor::<Rank1<4>>::ones();
}
