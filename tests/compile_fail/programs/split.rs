use taut::prelude::*;

fn main() {
    let x = Tensor::<Rank2<2, 7>>::ones();
    //~ 2 does not divide Const<7> exactly
    let _ = x.split::<1, 2>();
}
