use taut::prelude::*;

fn main() {
    let x = Tensor::<Rank3<2, 10, 66>>::ones();
    //~ 4 does not divide Const<66> exactly
    x.split_axis::<2, 4>();
}
