use taut::prelude::*;

fn main() {
    let tape = Tape::inference();
    let x = tape.watch(Tensor::from([1.0, 2.0]));
    //~ expected `2`, found `3`
    x.vector_jacobian(Tensor::from([1.0, 2.0, 3.0]));
}
