use taut::prelude::*;
use taut::shape::Permutation;

fn permute<P: Permutation<S>, S: Shape>(_: S) {}

fn main() {
    let shape = (Const::<2>, Const::<3>, Const::<4>);
    //~ expected a tuple with 2 elements, found one with 3 elements
    permute::<(Axis<1>, Axis<0>), _>(shape);
}
