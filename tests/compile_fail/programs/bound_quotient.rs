use taut::prelude::*;

use taut::shape::DivisibleBy;

fn third<D: DivisibleBy<3, Quotient = Const<8>>>(_: D) {}

fn main() {
    //~ expected `8`, found `2`
    third(Const::<6>);
}
