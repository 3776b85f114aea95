use taut::prelude::*;
use taut::shape::Holds;

fn slice<D: Holds<3, 4>>(_: D) {}

fn main() {
    //~ a slice of 4 from 3 on does not fit dimension Const<6>
    slice(Const::<6>);
}
