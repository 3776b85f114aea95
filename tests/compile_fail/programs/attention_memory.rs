use taut::prelude::*;

fn main() {
    let layer = MultiHeadAttention::<16, 4>::init(&mut StdRng::seed_from_u64(0));
    let x = Tensor::<Rank3<2, 10, 16>>::ones();
    let memory = Tensor::<Rank3<2, 5, 24>>::ones();
    //~ expected `16`, found `Const<24>`: this layer takes 16 features
    layer.forward((x, memory));
}
