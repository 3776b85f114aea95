use taut::prelude::*;

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    //~ this layer takes sequences, (batch, steps, features), and (Const<3>, Const<4>) comes
    //~ `Recurrent<
    Gru::<4, 8>::init(&mut rng).forward(Tensor::<Rank2<3, 4>>::ones());
}
