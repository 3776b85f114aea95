use taut::prelude::*;

fn main() {
    let layer = Lstm::<3, 5>::init(&mut StdRng::seed_from_u64(0));
    //~ `Tensor<(Const<2>, Const<5>)>` is not a state of this layer, which has 5 features for each sequence of its input
    //~ the state of a `LstmGates` layer is expected
    //~ an `LstmState` of two such tensors for `Lstm`
    layer.forward((Tensor::<Rank3<2, 7, 3>>::ones(), [Tensor::<Rank2<2, 5>>::zeros()]));
}
