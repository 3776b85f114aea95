use taut::prelude::*;
use taut::shape::TransposedWindow;

fn grow<D: TransposedWindow<2, 1, 1>>(_: D) {}

fn main() {
    //~ a transposed window of kernel 2, stride 1, padding 1 does not fit dimension Const<1>
    grow(Const::<1>);
}
