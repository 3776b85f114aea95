use taut::nn::GroupedConv2d;
use taut::prelude::*;

fn run(layer: &GroupedConv2d<4, 4, 0, 3>) {
    //~ 0 groups do not divide Const<4> channels
    layer.forward(Tensor::<Rank4<2, 4, 8, 8>>::zeros());
}

fn main() {}
