use taut::prelude::*;
use taut::shape::DivisibleBy;

fn half<D: DivisibleBy<2>>(_: D) {}

fn main() {
    //~ 2 does not divide Const<7> exactly
    half(Const::<7>);
}
