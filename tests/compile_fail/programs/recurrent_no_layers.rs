//! A recurrent network of no layers.
use taut::prelude::*;

fn main() {
    //~ `init` exists for struct `Recurrent<LstmGates, 3, 5, 0>`
    //~ `Const<0>: AtLeastOne`
    let _ = Lstm::<3, 5, 0>::init(&mut StdRng::seed_from_u64(0));
}
