use taut::prelude::*;

fn main() {
    let model = <(Embedding<100, 16>, LearnedPositionalEncoding<50, 16>)>::init(&mut StdRng::seed_from_u64(0));
    //~ sequences of Const<60> steps, and 50 positions are learned
    model.forward(Tensor::<Rank2<2, 60>, usize>::zeros());
}
