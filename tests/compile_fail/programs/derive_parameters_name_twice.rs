use taut::prelude::*;

#[derive(Parameters)]
struct Net {
    fc: Linear<3, 4>,
    //~ two fields have the name `fc` in files
    #[parameters(name = "fc")]
    other: Linear<4, 3>,
}

fn main() {}
