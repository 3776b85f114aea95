use taut::prelude::*;

fn main() {
    //~ a size of Const<0> leaves nothing: it is at least 1
    Tensor::<(usize, usize)>::zeros_with((4, 8)).split_axis::<1, 0>();
}
