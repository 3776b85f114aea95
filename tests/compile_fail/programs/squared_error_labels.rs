use taut::prelude::*;

fn main() {
    let predictions = Tensor::<Rank1<8>>::ones();
    //~ targets `Tensor<(Const<8>,), usize>` do not fit predictions of shape (Const<8>,) and element type `f32`
    //~ `targets.cast::<f32>()`
    predictions.mean_squared_error(&Tensor::<Rank1<8>, usize>::zeros());
}
