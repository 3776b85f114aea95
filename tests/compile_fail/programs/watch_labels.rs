use taut::prelude::*;

fn main() {
    let tape = Tape::inference();
    //~ this needs floating-point numbers, and `usize` is none
    tape.watch(Tensor::from([0, 1, 2]));
}
