use taut::prelude::*;

fn main() {
    //~ `Const<3>` is not a shape that the compiler knows
    let _ = Tensor::<Const<3>>::zeros();
}
