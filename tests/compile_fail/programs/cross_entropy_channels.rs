use taut::prelude::*;

fn main() {
    let logits = Tensor::<Rank4<2, 10, 32, 32>>::ones();
    //~ labels `Tensor<(Const<2>, Const<32>, Const<32>), usize>` do not fit logits of batch (Const<2>, Const<10>, Const<32>) and Const<32> classes
    //~ classes are the last axis
    logits.cross_entropy(&Tensor::<Rank3<2, 32, 32>, usize>::zeros());
}
