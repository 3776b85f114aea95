use taut::prelude::*;
use taut::shape::Padded;

fn pad<D: Padded<1, 2>>(_: D) {}

fn main() {
    //~ dimension Const<9000> padded by 1 and 2 is outside the table of sizes
    pad(Const::<9000>);
}
