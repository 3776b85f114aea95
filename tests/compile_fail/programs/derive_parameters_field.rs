use taut::prelude::*;

#[derive(Parameters)]
struct Net {
    layer: Linear<3, 4>,
    //~ `f32` does not say what its parameters are
    scale: f32,
}

fn main() {}
