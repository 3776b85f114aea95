use taut::prelude::*;
use taut::shape::Window;

fn convolve<D: Window<3, 1, 0>>(_: D) {}

fn main() {
    //~ a window of kernel 3, stride 1, padding 0 does not fit dimension Const<2>
    convolve(Const::<2>);
}
