use taut::prelude::*;

#[derive(Parameters)]
struct Net {
    //~ unknown option: `#[parameters(name = "..")]` renames a field in files
    #[parameters(rename = "fc")]
    layer: Linear<3, 4>,
}

fn main() {}
