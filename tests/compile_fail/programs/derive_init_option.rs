use taut::prelude::*;

#[derive(Init)]
struct Net {
    layer: Linear<3, 4>,
    //~ unknown option: `#[init(default)]` and `#[init(value = ..)]` say what a field is
    #[init(zero)]
    runs: usize,
}

fn main() {}
