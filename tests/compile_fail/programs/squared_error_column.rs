use taut::prelude::*;

fn main() {
    let predictions = Tensor::<Rank2<8, 1>>::ones();
    //~ targets `Tensor<(Const<8>,)>` do not fit predictions of shape (Const<8>, Const<1>) and element type `f32`
    //~ a column (B, 1) with a row (B,): `squeeze::<1>()` the one or `unsqueeze::<1>()` the other
    predictions.mean_squared_error(&Tensor::<Rank1<8>>::zeros());
}
