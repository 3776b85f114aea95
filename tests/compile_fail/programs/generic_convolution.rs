use taut::prelude::*;

fn edges<W: Dim>(layer: &Conv2d<3, 8, 3>, x: Tensor<(usize, Const<3>, usize, W)>) {
    //~ a window of kernel 3, stride 1, padding 0 does not fit dimension W
    //~ in generic code, write `where H: shape::Window<3, 1, 0>`
    layer.forward(x);
}

fn main() {
    let layer = Conv2d::init(&mut StdRng::seed_from_u64(0));
    edges(&layer, Tensor::zeros_with((2, Const, 32, 32)));
}
