use taut::prelude::*;

fn main() {
    //~ a size of Const<0> leaves nothing: it is at least 1
    //~ required for `MaxPool2d<2, 0>` to implement
    MaxPool2d::<2, 0>.forward(Tensor::<(usize, usize, usize, usize)>::zeros_with((2, 3, 32, 32)));
}
