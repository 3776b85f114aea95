use taut::prelude::*;

fn main() {
    let labels = Tensor::from([0, 1, 2]);
    //~ `usize: Float`
    labels.exp();
}
