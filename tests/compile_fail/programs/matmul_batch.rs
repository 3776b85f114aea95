use taut::prelude::*;

fn main() {
    let a = Tensor::<Rank3<7, 3, 4>>::ones();
    let b = Tensor::<Rank3<8, 4, 6>>::ones();
    //~ matmul: `(Const<7>, Const<3>, Const<4>)` times `(Const<8>, Const<4>, Const<6>)` does not fit
    a.matmul(b);
}
