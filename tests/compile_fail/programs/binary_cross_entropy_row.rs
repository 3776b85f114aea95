use taut::prelude::*;

fn main() {
    let logits = Tensor::<Rank1<8>>::ones();
    //~ targets `Tensor<(Const<8>, Const<1>)>` do not fit predictions of shape (Const<8>,) and element type `f32`
    logits.binary_cross_entropy(&Tensor::<Rank2<8, 1>>::zeros());
}
