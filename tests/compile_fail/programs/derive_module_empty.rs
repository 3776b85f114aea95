use taut::prelude::*;

#[derive(Module)]
//~ `Module` runs the fields in order, and there is none: implement `Module` by hand
struct Net;

fn main() {}
