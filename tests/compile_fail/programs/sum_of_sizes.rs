use taut::prelude::*;
use taut::shape::Plus;

fn append_one<D: Plus<Const<1>>>(_: D) {}

fn main() {
    //~ the sum Const<3000> + Const<1> is outside the table of sizes
    append_one(Const::<3000>);
}
