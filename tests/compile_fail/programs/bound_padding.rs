use taut::prelude::*;

fn keeps<M: Module<Tensor<Rank4<2, 8, 30, 30>>, Output = Tensor<Rank4<2, 8, 30, 30>>>>(_: &M) {}

fn main() {
    //~ `<ZeroPad2d<1> as Module
    //~ expected `30`, found `32`
    keeps(&ZeroPad2d::<1>);
}
