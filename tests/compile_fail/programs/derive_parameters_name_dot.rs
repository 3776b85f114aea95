use taut::prelude::*;

#[derive(Parameters)]
struct Net {
    //~ a parameter's name is not empty and has no dot
    #[parameters(name = "encoder.fc")]
    layer: Linear<3, 4>,
}

fn main() {}
