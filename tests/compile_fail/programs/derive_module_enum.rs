use taut::prelude::*;

#[derive(Module)]
//~ `Module` can be derived for a struct only: each of its fields is a layer
enum Net {
    Small(Linear<3, 4>),
    Large(Linear<3, 4>),
}

fn main() {}
