use taut::prelude::*;

type Encoder = (Linear<784, 128>, Relu, Linear<128, 32>);
type Decoder = (Linear<32, 128>, Relu, Linear<128, 748>);

fn main() {
    let model = Autoencoder::<Encoder, Decoder>::init(&mut StdRng::seed_from_u64(0));
    //~ a decoder restores the shape of the encoder's input: `(Const<64>, Const<784>)` goes into the encoder and `(Const<64>, Const<748>)` comes out of the decoder
    model.forward(Tensor::<Rank2<64, 784>>::ones());
}
