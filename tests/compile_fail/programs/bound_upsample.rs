use taut::prelude::*;

fn as_before<M: Module<Tensor<Rank4<2, 12, 4, 5>>, Output = Tensor<Rank4<2, 12, 4, 5>>>>(_: M) {}

fn main() {
    //~ expected `4`, found `8`
    as_before(UpsampleNearest2d::<2>);
}
