use taut::prelude::*;

fn main() {
    // a tape says what it is for
    //~ Tape::<Training>::training
    //~ Tape::<Inference>::inference
    let _ = Tape::new();
}
