use taut::prelude::*;

fn keeps<M: Module<Tensor<Rank4<2, 8, 30, 30>>, Output = Tensor<Rank4<2, 8, 30, 30>>>>(_: &M) {}

fn main() {
    //~ `<MaxPool2d<2> as Module
    //~ expected `30`, found `15`
    keeps(&MaxPool2d::<2>);
}
