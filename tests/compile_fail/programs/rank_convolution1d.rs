use taut::prelude::*;

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    //~ this layer takes signals, (batch, channels, length), and (Const<3>, Const<32>) comes
    //~ `Conv1d<3, 8, 3>`
    Conv1d::<3, 8, 3>::init(&mut rng).forward(Tensor::<Rank2<3, 32>>::ones());
}
