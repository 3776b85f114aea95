use taut::prelude::*;

fn main() {
    let logits = Tensor::<Rank3<8, 20, 10>>::ones();
    //~ labels `Tensor<(Const<8>,), usize>` do not fit logits of batch (Const<8>, Const<20>)
    //~ `LastStep` after that layer
    logits.accuracy(&Tensor::<Rank1<8>, usize>::zeros());
}
