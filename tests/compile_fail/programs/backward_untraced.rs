use taut::prelude::*;

fn main() {
    let loss = Tensor::from([1.0, 2.0]).sum();
    //~ `backward` needs a traced scalar, and this is `Tensor<()>`
    loss.backward();
}
