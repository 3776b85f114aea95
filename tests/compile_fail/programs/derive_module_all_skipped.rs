use taut::prelude::*;

#[derive(Module)]
//~ `Module` runs the fields in order, and there is none
struct Net {
    #[module(skip)]
    layer: Linear<3, 4>,
}

fn main() {}
