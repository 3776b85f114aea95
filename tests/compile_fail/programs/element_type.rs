use taut::prelude::*;

fn main() {
    //~ a tensor cannot hold `i32`
    let _ = Tensor::<Rank1<3>, i32>::zeros();
}
