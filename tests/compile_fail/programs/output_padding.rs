use taut::prelude::*;

fn main() {
    let layer = ConvTranspose2d::<128, 64, 4, 2, 1, 2>::init(&mut StdRng::seed_from_u64(0));
    //~ output padding 2 is not smaller than the stride Const<2>
    layer.forward(Tensor::<Rank4<32, 128, 7, 7>>::ones());
}
