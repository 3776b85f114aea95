use taut::prelude::*;

fn main() {
    let a = Tensor::<Rank2<3, 4>>::ones();
    let b = Tensor::<Rank2<5, 6>>::ones();
    //~ matmul: `(Const<3>, Const<4>)` times `(Const<5>, Const<6>)` does not fit
    a.matmul(b);
}
