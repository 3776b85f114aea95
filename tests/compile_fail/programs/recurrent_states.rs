use taut::prelude::*;

fn main() {
    let layer = Gru::<3, 5, 2>::init(&mut StdRng::seed_from_u64(0));
    //~ `[Tensor<(Const<2>, Const<5>)>; 1]` does not hold the states of 2 layers, `Unidirectional`
    layer.forward((Tensor::<Rank3<2, 7, 3>>::ones(), [Tensor::<Rank2<2, 5>>::zeros()]));
}
