use taut::prelude::*;

fn main() {
    let model = <(Linear<784, 128>, Relu)>::init(&mut StdRng::seed_from_u64(0));
    //~ Const<129>
    //~ Const<128>
    let _: Tensor<Rank2<64, 129>> = model.forward(Tensor::<Rank2<64, 784>>::ones());
}
