use taut::prelude::*;

fn main() {
    //~ f64
    let _ = Tensor::from([[1.0_f64, 2.0], [3.0, 4.0]]);
}
