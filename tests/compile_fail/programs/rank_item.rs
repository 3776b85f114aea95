use taut::prelude::*;

fn main() {
    let losses = Tensor::<Rank1<8>>::ones();
    //~ one number, a scalar, is taken here, and (Const<8>,) comes
    losses.item();
}
