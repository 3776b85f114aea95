use taut::prelude::*;

fn main() {
    //~ i32
    let _ = Tensor::from([1_i32, 2, 3]);
}
