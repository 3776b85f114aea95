use taut::prelude::*;

fn main() {
    let a = Tensor::<Rank1<4>, f32>::ones();
    let b = Tensor::<Rank1<4>, f64>::ones();
    //~ f64
    let _ = a + b;
}
