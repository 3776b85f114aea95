use taut::prelude::*;

fn main() {
    let layer = Gru::<3, 5>::init(&mut StdRng::seed_from_u64(0));
    //~ `Tensor<(Const<3>, Const<5>)>` is not a state of this layer, which has 5 features for each sequence of its input
    //~ the state of a `GruGates` layer is expected, of width 5 and for a batch of `Const<2>`
    layer.forward((Tensor::<Rank3<2, 7, 3>>::ones(), [Tensor::<Rank2<3, 5>>::zeros()]));
}
