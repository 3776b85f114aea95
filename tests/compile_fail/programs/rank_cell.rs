use taut::prelude::*;

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    //~ this layer takes rows, (batch, features), and (Const<2>, Const<3>, Const<4>) comes
    LstmCell::<4, 8>::init(&mut rng).forward(Tensor::<Rank3<2, 3, 4>>::ones());
}
