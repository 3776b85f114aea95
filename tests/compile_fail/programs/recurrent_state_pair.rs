use taut::prelude::*;

fn main() {
    let layer = Lstm::<3, 5>::init(&mut StdRng::seed_from_u64(0));
    let zeros = Tensor::<Rank2<2, 5>>::zeros();
    //~ for an LSTM an `LstmState` in an array
    layer.forward((Tensor::<Rank3<2, 7, 3>>::ones(), (zeros.clone(), zeros)));
}
