use taut::prelude::*;

fn main() {
    let blocks = <[Linear<16, 32>; 3]>::init(&mut StdRng::seed_from_u64(0));
    //~ blocks of a list keep the shape: `Tensor<(Const<64>, Const<16>)>` goes into a block and `Tensor<(Const<64>, Const<32>)>` comes out
    //~ `[Linear<16, 32>; 3]`
    blocks.forward(Tensor::<Rank2<64, 16>>::ones());
}
