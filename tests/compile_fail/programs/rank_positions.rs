use taut::prelude::*;

fn main() {
    //~ this layer takes sequences, (batch, steps, features), and (Const<3>, Const<4>) comes
    //~ `PositionalEncoding<4>`
    PositionalEncoding::<4>.forward(Tensor::<Rank2<3, 4>>::ones());
}
