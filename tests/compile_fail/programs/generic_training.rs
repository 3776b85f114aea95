use taut::prelude::*;

fn train<M>(model: &mut M, images: Tensor<Rank2<64, 784>>)
where
    M: Parameters
        + Module<Tensor<Rank2<64, 784>, f32, Traced<Training>>, Output = Tensor<Rank2<64, 10>, f32, Traced<Training>>>,
{
    let tape = Tape::training(&mut StdRng::seed_from_u64(0));
    let loss = model.forward(tape.trace(images)).sum();
    Sgd::new(SgdConfig::default()).step(model, &loss.backward());
}

fn main() {
    let mut model = Linear::<783, 10>::init(&mut StdRng::seed_from_u64(0));
    //~ expected `783`, found `Const<784>`: this layer takes 783 features
    train(&mut model, Tensor::ones());
}
