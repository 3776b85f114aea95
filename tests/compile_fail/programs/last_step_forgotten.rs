use taut::prelude::*;

fn main() {
    let model = <(Lstm<3, 5>, Linear<5, 4>)>::init(&mut StdRng::seed_from_u64(0));
    let logits = model.forward(Tensor::<Rank3<2, 7, 3>>::ones());
    //~ labels `Tensor<(Const<2>,), usize>` do not fit logits of batch (Const<2>, Const<7>) and Const<4> classes
    //~ `LastStep` after that layer
    logits.cross_entropy(&Tensor::from([0, 3]));
}
