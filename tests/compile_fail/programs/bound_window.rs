use taut::prelude::*;

use taut::shape::Window;

fn same<H: Window<3, 1, 0, Out = H>>(_: H) {}

fn main() {
    //~ `<Const<30> as Window<3, 1, 0>>::Out == Const<30>`
    //~ expected `30`, found `28`
    same(Const::<30>);
}
