use taut::prelude::*;

type Encoder = ((SameConv2d<1, 8, 3>, Relu, MaxPool2d<2>), (SameConv2d<8, 4, 3>, Relu, MaxPool2d<2>));
// the last kernel is 3 pixels where 2 would do, so that images come out with 29 pixels along a side
type Decoder = ((ConvTranspose2d<4, 8, 2, 2>, Relu), ConvTranspose2d<8, 1, 3, 2>);

fn main() {
    let model = Autoencoder::<Encoder, Decoder>::init(&mut StdRng::seed_from_u64(0));
    //~ `(Const<64>, Const<1>, Const<28>, Const<28>)` goes into the encoder and `(Const<64>, Const<1>, Const<29>, Const<29>)` comes out of the decoder
    model.forward(Tensor::<Rank4<64, 1, 28, 28>>::ones());
}
