use taut::prelude::*;

fn main() {
    //~ expected an array with a size of 2, found one with a size of 1
    let _ = Tensor::from([[1.0, 2.0], [3.0]]);
}
