use taut::prelude::*;

fn main() {
    let layer = GroupNorm::<3, 64>::init(&mut StdRng::seed_from_u64(0));
    //~ 3 groups do not divide Const<64> channels
    //~ required for `GroupNorm<3, 64>` to implement `Module<
    layer.forward(Tensor::<Rank4<32, 64, 8, 8>>::ones());
}
