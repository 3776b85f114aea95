use taut::prelude::*;

fn main() {
    //~ matmul: `(Const<3>,)` times `(Const<4>,)` does not fit
    Tensor::<Rank1<3>>::ones().matmul(Tensor::<Rank1<4>>::ones());
}
