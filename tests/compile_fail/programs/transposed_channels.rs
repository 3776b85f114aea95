use taut::prelude::*;

fn main() {
    let layer = ConvTranspose2d::<128, 64, 4, 2, 1>::init(&mut StdRng::seed_from_u64(0));
    //~ expected `128`, found `Const<64>`: this layer takes 128 channels
    //~ required for `ConvTranspose2d<128, 64, 4, 2, 1>` to implement `Module<
    layer.forward(Tensor::<Rank4<32, 64, 7, 7>>::ones());
}
