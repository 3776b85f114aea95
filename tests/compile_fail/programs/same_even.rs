use taut::prelude::*;

fn main() {
    let layer = SameConv2d::<3, 16, 4>::init(&mut StdRng::seed_from_u64(0));
    //~ a window of kernel Const<4> has no middle: an odd kernel keeps the size
    //~ required for `SameConv2d<3, 16, 4>` to implement `Module<
    layer.forward(Tensor::<Rank4<32, 3, 28, 28>>::ones());
}
