use taut::prelude::*;

fn main() {
    let blocks = <[Linear<16, 32>; 3]>::init(&mut StdRng::seed_from_u64(0));
    //~ expected `16`, found `32`
    //~ `[Linear<16, 32>; 3]`
    blocks.forward(Tensor::<Rank2<64, 16>>::ones());
}
