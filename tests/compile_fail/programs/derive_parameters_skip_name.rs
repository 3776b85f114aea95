use taut::prelude::*;

#[derive(Parameters)]
struct Net {
    layer: Linear<3, 4>,
    //~ a field without parameters has no name in files
    #[parameters(skip, name = "n")]
    runs: usize,
}

fn main() {}
