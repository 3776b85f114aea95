use taut::prelude::*;

fn thirty<M: Module<Tensor<Rank4<2, 3, 4, 5>>, Output = Tensor<Rank2<2, 30>>>>(_: M) {}

fn main() {
    //~ expected `30`, found `60`
    thirty(Flatten);
}
