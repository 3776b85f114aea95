use taut::prelude::*;

fn rows<const C: usize>(x: Tensor<Rank3<8, C, 4>>) {
    //~ the product of (Const<C>, Const<4>) is outside the table of sizes
    //~ in generic code, write `where (Const<C>, H, W): shape::Product`
    let _ = x.flatten_from::<1>();
}

fn main() {
    rows(Tensor::<Rank3<8, 3, 4>>::ones());
}
