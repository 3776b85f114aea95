use taut::prelude::*;

fn main() {
    let block = Conv2d::<8, 8, 3>::init(&mut StdRng::seed_from_u64(0));
    //~ `Tensor<(Const<1>, Const<8>, Const<32>, Const<32>)>` goes into a block and `Tensor<(Const<1>, Const<8>, Const<30>, Const<30>)>` comes out
    //~ required for `Vec<Conv2d<8, 8, 3>>` to implement
    vec![block.clone(), block].forward(Tensor::<Rank4<1, 8, 32, 32>>::ones());
}
