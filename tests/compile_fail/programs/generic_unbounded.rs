use taut::prelude::*;

fn loss<M>(model: &M, images: Tensor<Rank2<64, 784>>, labels: &Tensor<Rank1<64>, usize>) -> f32 {
    //~ its bound is missing: `M: Trainable<X, Y>`
    let scores = model.forward(images);
    scores.cross_entropy(labels).into_scalar()
}

fn main() {
    loss(&Linear::<784, 10>::init(&mut StdRng::seed_from_u64(0)), Tensor::ones(), &Tensor::zeros());
}
