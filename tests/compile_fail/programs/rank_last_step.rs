use taut::prelude::*;

fn main() {
    //~ this layer takes sequences, (batch, steps, features), and (Const<3>, Const<4>) comes
    //~ `LastStep`
    LastStep.forward(Tensor::<Rank2<3, 4>>::ones());
}
