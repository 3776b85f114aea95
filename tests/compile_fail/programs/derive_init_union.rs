use taut::prelude::*;

#[derive(Init)]
//~ `Init` can be derived for a struct only
union Net {
    small: f32,
}

fn main() {}
