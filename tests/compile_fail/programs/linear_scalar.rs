use taut::prelude::*;

fn main() {
    let layer = Linear::<784, 10>::init(&mut StdRng::seed_from_u64(0));
    //~ shape () has no last axis
    layer.forward(Tensor::<Rank0>::ones());
}
