use taut::prelude::*;

fn main() {
    let x = Tensor::<Rank4<2, 4, 10, 8>>::ones();
    let keys = Tensor::<Rank4<2, 4, 10, 16>>::ones();
    //~ expected `8`, found `16`
    let _ = x.clone().attention(keys, x, &Default::default());
}
