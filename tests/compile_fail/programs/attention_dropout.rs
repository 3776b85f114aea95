use taut::prelude::*;

fn main() {
    let layer = MultiHeadAttention::<16, 4, 110>::init(&mut StdRng::seed_from_u64(0));
    //~ dropout of 110 percent: at most 100 can be dropped
    layer.forward(Tensor::<Rank3<2, 10, 16>>::ones());
}
