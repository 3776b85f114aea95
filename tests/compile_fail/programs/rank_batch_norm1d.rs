use taut::prelude::*;

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    //~ this layer takes (batch, features) or (batch, channels, length), and (Const<3>, Const<2>, Const<5>, Const<5>) comes
    BatchNorm1d::<2>::init(&mut rng).forward(Tensor::<Rank4<3, 2, 5, 5>>::ones());
}
