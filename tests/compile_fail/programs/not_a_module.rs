use taut::prelude::*;

struct Rescale;

fn main() {
    let model = (Linear::<784, 128>::init(&mut StdRng::seed_from_u64(0)), Rescale);
    //~ `Rescale` does not take `Tensor<_, f32, _>` as its input
    model.forward(Tensor::<Rank2<64, 784>>::ones());
}
