use taut::prelude::*;

fn main() {
    let x = Tensor::<(usize, Const<2>)>::zeros_with((3, Const));
    //~ the shape `(usize, Const<2>)` has no array type
    x.to_array();
}
