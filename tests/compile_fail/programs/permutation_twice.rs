use taut::prelude::*;
use taut::shape::Permutation;

fn permute<P: Permutation<S>, S: Shape>(_: S) {}

fn main() {
    let shape = (Const::<2>, Const::<3>, Const::<4>);
    //~ Axis<1> is named twice
    permute::<(Axis<1>, Axis<0>, Axis<1>), _>(shape);
}
