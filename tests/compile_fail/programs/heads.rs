use taut::prelude::*;
use taut::shape::Heads;

fn head<D: Heads<3>>(_: D) {}

fn main() {
    //~ 3 heads do not divide a width of Const<16>
    head(Const::<16>);
}
