use taut::prelude::*;

fn main() {
    let encoder = <TransformerEncoder<TransformerEncoderLayer<16, 4, 64>, 2>>::init(&mut StdRng::seed_from_u64(0));
    //~ this layer takes sequences, (batch, steps, features), and (Const<10>, Const<16>) comes
    //~ required for `TransformerEncoderLayer<16, 4, 64>` to implement
    encoder.forward(Tensor::<Rank2<10, 16>>::ones());
}
