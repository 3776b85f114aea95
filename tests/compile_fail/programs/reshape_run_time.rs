use taut::prelude::*;

fn main() {
    let x = Tensor::<Rank2<3, 4>>::ones();
    //~ `(usize, Const<4>)` is not a shape that the compiler knows
    x.reshape::<(usize, Const<4>)>();
}
