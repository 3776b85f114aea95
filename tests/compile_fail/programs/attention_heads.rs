use taut::prelude::*;

fn main() {
    let layer = MultiHeadAttention::<16, 3>::init(&mut StdRng::seed_from_u64(0));
    //~ 3 heads do not divide a width of Const<16>
    //~ required for `MultiHeadAttention<16, 3>` to implement
    layer.forward(Tensor::<Rank3<2, 10, 16>>::ones());
}
