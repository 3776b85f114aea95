use taut::prelude::*;

#[derive(Init)]
struct Net {
    //~ `Vec<Linear<4, 4>>` cannot be made from random numbers alone
    blocks: Vec<Linear<4, 4>>,
}

fn main() {}
