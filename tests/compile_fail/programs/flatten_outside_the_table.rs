use taut::prelude::*;

fn main() {
    //~ the product of (Const<2>, Const<1000>, Const<100>, Const<7>) is outside the table of sizes
    Tensor::<Rank4<2, 1000, 100, 7>>::ones().flatten();
}
