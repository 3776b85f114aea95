use taut::prelude::*;

fn train<M>(model: &mut M, rng: &mut StdRng)
where
    M: Trainable<Tensor<(usize, Const<64>)>, Tensor<(usize, Const<10>)>>,
{
    for (images, labels) in taut::data::digits().batches_of(32, rng) {
        let loss = model.forward(Tape::training(rng).trace(images)).cross_entropy(&labels);
        Sgd::new(SgdConfig::default()).step(model, &loss.backward());
    }
}

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    let mut model = <((Linear<64, 33>, Relu), Linear<32, 10>)>::init(&mut rng);
    //~ expected `32`, found `Const<33>`: this layer takes 32 features
    train(&mut model, &mut rng);
}
