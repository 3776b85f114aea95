use taut::prelude::*;

fn main() {
    let layer = Linear::<784, 10>::init(&mut StdRng::seed_from_u64(0));
    //~ expected `784`, found `Const<28>`: this layer takes 784 features
    layer.forward(Tensor::<Rank3<64, 28, 28>>::ones());
}
