use taut::prelude::*;

#[derive(Module)]
struct Net {
    layer: Linear<3, 4>,
    //~ unknown option: `#[module(skip)]` leaves a field out of the chain
    #[module(ignore)]
    spare: Linear<3, 4>,
}

fn main() {}
