use taut::prelude::*;

type Classifier = (Embedding<100, 4>, Lstm<4, 8>, LastStep, Linear<8, 2>);

fn main() {
    let model = Classifier::init(&mut StdRng::seed_from_u64(0));
    let words = Tensor::<Rank2<2, 7>, usize>::zeros();
    //~ expected `Tensor<_, _, _>`, found `(Tensor<(Const<2>, ...), usize>, ...)`
    model.forward((words, Tensor::from([7, 4])));
}
