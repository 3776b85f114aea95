use taut::prelude::*;

type Images = Tensor<Rank2<64, 784>, f32, Traced<Training>>;

pub fn loss<M: Module<Images>>(model: &M, images: Images, labels: &Tensor<Rank1<64>, usize>) -> f32 {
    //~ no method named `cross_entropy` found for associated type
    model.forward(images).cross_entropy(labels).item()
}

fn main() {}
