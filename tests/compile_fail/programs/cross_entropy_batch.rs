use taut::prelude::*;

fn main() {
    let logits = Tensor::<Rank2<3, 4>>::ones();
    //~ labels `Tensor<(Const<5>,), usize>` do not fit logits of batch Const<3> and Const<4> classes
    logits.cross_entropy(&Tensor::from([0, 1, 2, 3, 0]));
}
