use taut::prelude::*;

fn main() {
    let layer = Gru::<3, 5>::init(&mut StdRng::seed_from_u64(0));
    //~ `Tensor<(Const<3>,), usize>` does not hold the lengths of the sequences of a batch of `Const<2>`
    layer.forward((Tensor::<Rank3<2, 7, 3>>::ones(), Tensor::<Rank1<3>, usize>::from([7, 7, 7])));
}
