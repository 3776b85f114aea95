use taut::nn::PixelShuffle;
use taut::prelude::*;

fn main() {
    //~ a size of Const<0> leaves nothing: it is at least 1
    //~ required for `PixelShuffle<0>` to implement
    PixelShuffle::<0>.forward(Tensor::<(usize, usize, usize, usize)>::zeros_with((2, 4, 8, 8)));
}
