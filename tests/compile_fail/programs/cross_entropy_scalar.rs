use taut::prelude::*;

fn main() {
    //~ shape () is none of class scores
    Tensor::from(1.0).cross_entropy(&Tensor::from(0));
}
