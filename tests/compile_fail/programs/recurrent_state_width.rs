use taut::prelude::*;

fn main() {
    let cell = GruCell::<3, 5>::init(&mut StdRng::seed_from_u64(0));
    //~ `Tensor<(Const<2>, Const<4>)>` is not a state of this layer, which has 5 features for each sequence of its input
    cell.forward((Tensor::<Rank2<2, 3>>::ones(), Tensor::<Rank2<2, 4>>::zeros()));
}
