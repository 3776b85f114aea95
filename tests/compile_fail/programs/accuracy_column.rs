use taut::prelude::*;

fn main() {
    let logits = Tensor::<Rank2<8, 10>>::ones();
    //~ labels `Tensor<(Const<8>, Const<1>), usize>` do not fit logits of batch Const<8>
    //~ `labels.squeeze::<1>()`
    logits.accuracy(&Tensor::<Rank2<8, 1>, usize>::zeros());
}
