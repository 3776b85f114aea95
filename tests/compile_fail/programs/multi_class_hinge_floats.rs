use taut::prelude::*;

fn main() {
    let scores = Tensor::<Rank2<8, 10>>::ones();
    //~ labels `Tensor<(Const<8>,)>` do not fit logits of batch Const<8>
    scores.multi_class_hinge(&Tensor::<Rank1<8>>::zeros());
}
