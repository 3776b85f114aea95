use taut::prelude::*;

fn main() {
    let logits = Tensor::<Rank2<8, 10>>::ones();
    //~ labels `Tensor<(Const<8>,)>` do not fit logits of batch Const<8>
    //~ `labels.cast::<usize>()`
    logits.accuracy(&Tensor::<Rank1<8>>::zeros());
}
