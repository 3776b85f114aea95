use taut::prelude::*;

fn main() {
    let block = Residual::<(Linear<16, 32>, Relu)>::init(&mut StdRng::seed_from_u64(0));
    //~ a residual block keeps the shape: `(Const<64>, Const<16>)` goes into it and `(Const<64>, Const<32>)` comes out
    block.forward(Tensor::<Rank2<64, 16>>::ones());
}
