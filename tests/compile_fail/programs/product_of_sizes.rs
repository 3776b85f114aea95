use taut::prelude::*;
use taut::shape::Product;

fn flatten<S: Product>(_: S) {}

fn main() {
    //~ the product of (Const<2000>, Const<2000>) is outside the table of sizes
    flatten((Const::<2000>, Const::<2000>));
}
