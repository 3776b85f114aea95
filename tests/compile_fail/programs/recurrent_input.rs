use taut::prelude::*;

fn main() {
    let model = <(Embedding<57, 64>, Lstm<65, 128>)>::init(&mut StdRng::seed_from_u64(0));
    //~ expected `65`, found `Const<64>`: this layer takes 65 features
    //~ required for `Recurrent<LstmGates, 65, 128>` to implement
    model.forward(Tensor::from([[7, 4, 11, 11, 14]]));
}
