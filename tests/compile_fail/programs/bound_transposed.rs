use taut::prelude::*;

fn keeps<M: Module<Tensor<Rank4<2, 8, 30, 30>>, Output = Tensor<Rank4<2, 8, 30, 30>>>>(_: &M) {}

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    //~ `<ConvTranspose2d<8, 8, 3> as Module
    //~ expected `30`, found `32`
    keeps(&ConvTranspose2d::<8, 8, 3>::init(&mut rng));
}
