use taut::prelude::*;

fn main() {
    //~ a window of kernel 2, stride 0, padding 0 does not fit dimension Const<32>
    MaxPool2d::<2, 0>.forward(Tensor::<Rank4<2, 3, 32, 32>>::zeros());
}
