//! Gradients that nobody uses: the model would stay as it is.
#![deny(unused_must_use)]

use taut::prelude::*;

fn main() {
    let model = Linear::<3, 1>::init(&mut StdRng::seed_from_u64(0));
    let loss = model.forward(Tape::inference().trace(Tensor::<Rank2<4, 3>>::ones())).mean();
    //~ unused `Gradients` that must be used
    //~ gradients change nothing until an optimizer's `step` takes them
    loss.backward();
}
