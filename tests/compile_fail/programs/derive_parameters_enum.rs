use taut::prelude::*;

#[derive(Parameters)]
//~ `Parameters` can be derived for a struct only
enum Net {
    Small(Linear<3, 4>),
}

fn main() {}
