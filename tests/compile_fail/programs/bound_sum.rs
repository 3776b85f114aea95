use taut::prelude::*;

use taut::shape::Plus;

fn sum<D: Plus<Const<3>, Out = Const<8>>>(_: D) {}

fn main() {
    //~ `<Const<4> as Plus<Const<3>>>::Out == Const<8>`
    //~ expected `8`, found `7`
    sum(Const::<4>);
}
