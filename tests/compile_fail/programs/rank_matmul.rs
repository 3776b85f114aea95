use taut::prelude::*;

fn main() {
    let x = Tensor::<Rank1<3>>::ones();
    //~ matmul: `(Const<3>,)` times `(Const<2>, Const<3>, Const<4>)` does not fit
    x.matmul(Tensor::<Rank3<2, 3, 4>>::ones());
}
