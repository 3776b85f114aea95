use taut::prelude::*;

fn main() {
    let layer = Gru::<3, 5>::init(&mut StdRng::seed_from_u64(0));
    //~ a state alone is `(x, [state])`
    layer.forward((Tensor::<Rank3<2, 7, 3>>::ones(), Tensor::<Rank2<2, 5>>::zeros()));
}
