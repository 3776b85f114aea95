use taut::prelude::*;

fn main() {
    //~ `(usize, Const<784>)` is not a shape that the compiler knows
    let _ = Tensor::<(usize, Const<784>)>::zeros();
}
