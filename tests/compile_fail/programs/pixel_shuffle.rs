use taut::prelude::*;

fn main() {
    //~ Const<6> channels do not make whole blocks of 2 x 2 pixels
    //~ required for `PixelShuffle<2>` to implement `Module<
    PixelShuffle::<2>.forward(Tensor::<Rank4<32, 6, 28, 28>>::ones());
}
