use taut::nn::Bidirectional;
use taut::prelude::*;

fn keeps<M: Module<Tensor<Rank3<2, 9, 3>>, Output = Tensor<Rank3<2, 9, 4>>>>(_: &M) {}

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    //~ expected `4`, found `8`
    keeps(&Lstm::<3, 4, 1, Bidirectional>::init(&mut rng));
}
