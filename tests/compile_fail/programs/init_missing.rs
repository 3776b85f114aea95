use taut::prelude::*;

struct Net(#[allow(dead_code)] Linear<3, 4>);

fn main() {
    //~ Net: Init
    let _ = <(Net, Relu)>::init(&mut StdRng::seed_from_u64(0));
}
