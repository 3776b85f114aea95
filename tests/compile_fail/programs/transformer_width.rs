use taut::prelude::*;

type Encoder = TransformerEncoder<TransformerEncoderLayer<16, 4, 64>, 2>;

fn main() {
    let model = <(Embedding<100, 12>, Encoder)>::init(&mut StdRng::seed_from_u64(0));
    //~ expected `16`, found `Const<12>`: this layer takes 16 features
    model.forward(Tensor::<Rank2<2, 10>, usize>::zeros());
}
