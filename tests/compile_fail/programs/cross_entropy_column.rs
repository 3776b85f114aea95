use taut::prelude::*;

fn main() {
    let logits = Tensor::<Rank2<3, 4>>::ones();
    //~ labels `Tensor<(Const<3>, Const<1>), usize>` do not fit logits of batch Const<3> and Const<4> classes
    //~ `labels.squeeze::<1>()`
    logits.cross_entropy(&Tensor::from([[0], [1], [2]]));
}
