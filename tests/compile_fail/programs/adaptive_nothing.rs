use taut::prelude::*;

fn main() {
    //~ a size of Const<0> leaves nothing: it is at least 1
    //~ required for `AdaptiveAvgPool2d<0>` to implement `Module<
    AdaptiveAvgPool2d::<0>.forward(Tensor::<Rank4<32, 8, 28, 28>>::ones());
}
