use taut::prelude::*;

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    let list = [Conv2d::<8, 8, 3>::init(&mut rng), Conv2d::<8, 8, 3>::init(&mut rng)];
    //~ `Tensor<(Const<2>, Const<8>, Const<30>, Const<30>)>` goes into a block and `Tensor<(Const<2>, Const<8>, Const<28>, Const<28>)>` comes out
    list.forward(Tensor::<Rank4<2, 8, 30, 30>>::ones());
}
