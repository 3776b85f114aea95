use taut::prelude::*;

fn main() {
    //~ shape (Const<8>,) has no two axes to exchange
    Tensor::<Rank1<8>>::ones().transpose();
}
