use taut::prelude::*;

fn main() {
    //~ a reflection of 4 pixels does not fit dimension Const<4>
    //~ required for `ReflectionPad2d<4>` to implement `Module<
    ReflectionPad2d::<4>.forward(Tensor::<Rank4<32, 8, 4, 12>>::ones());
}
