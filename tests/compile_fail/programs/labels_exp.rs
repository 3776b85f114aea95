use taut::prelude::*;

fn main() {
    let labels = Tensor::from([0, 1, 2]);
    //~ method not found in `Tensor<(Const<3>,), usize>`
    labels.exp();
}
