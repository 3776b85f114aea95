use taut::prelude::*;

#[derive(Parameters)]
struct Net {
    layer: Linear<3, 4>,
    //~ `String` does not say what its parameters are
    name: String,
}

fn main() {}
