use taut::prelude::*;

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    //~ this layer takes images, (batch, channels, height, width), and (Const<3>, Const<32>, Const<32>) comes
    //~ `BatchNorm<3>`
    BatchNorm2d::<3>::init(&mut rng).forward(Tensor::<Rank3<3, 32, 32>>::ones());
}
