use taut::prelude::*;

struct Block(Linear<2, 3>);

#[derive(Init, Module, Parameters)]
struct Net {
    first: Linear<1, 2>,
    //~ `Block` cannot be made from random numbers alone
    //~ structs with `#[derive(Init, Module, Parameters)]`
    block: Block,
}

fn main() {
    let net = Net::init(&mut StdRng::seed_from_u64(0));
    net.forward(Tensor::<Rank2<1, 1>>::ones());
}
