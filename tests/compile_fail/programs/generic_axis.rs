use taut::prelude::*;

fn probabilities<S: Shape>(x: Tensor<S>) {
    //~ there is no axis 1 in shape S
    //~ in generic code, write `where S: shape::HasAxis<1>`
    let _ = x.softmax::<1>();
}

fn main() {
    probabilities(Tensor::<Rank2<8, 3>>::ones());
}
