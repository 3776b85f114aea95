use taut::prelude::*;

fn main() {
    let x = Tensor::<Rank2<2, 6>>::ones();
    //~ a slice of 4 from 3 on does not fit dimension Const<6>
    x.slice_axis::<1, 3, 4>();
}
