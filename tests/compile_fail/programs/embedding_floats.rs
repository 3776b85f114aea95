use taut::prelude::*;

fn main() {
    let layer = Embedding::<1000, 16>::init(&mut StdRng::seed_from_u64(0));
    //~ an embedding looks up indices, and `f32` is not an index
    layer.forward(Tensor::from([4.0, 8.0, 15.0]));
}
