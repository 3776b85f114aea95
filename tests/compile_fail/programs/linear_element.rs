use taut::prelude::*;

fn main() {
    let layer = Linear::<784, 10>::init(&mut StdRng::seed_from_u64(0));
    //~ expected `Tensor<_, f32, _>`, found `Tensor<(Const<64>, Const<784>), f64>`
    layer.forward(Tensor::<Rank2<64, 784>, f64>::ones());
}
