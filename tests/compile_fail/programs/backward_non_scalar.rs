use taut::prelude::*;

fn main() {
    let tape = Tape::inference();
    let x = tape.watch(Tensor::from([1.0, 2.0]));
    //~ `backward` needs a traced scalar, and this is `Tensor<(Const<2>,), f32, Traced<Inference>>`
    x.backward();
}
