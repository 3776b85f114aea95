use taut::prelude::*;

fn main() {
    //~ this layer takes signals, (batch, channels, length), and (Const<3>, Const<32>) comes
    //~ `MaxPool1d<2>`
    MaxPool1d::<2>.forward(Tensor::<Rank2<3, 32>>::ones());
}
