use taut::prelude::*;

fn main() {
    let x = Tensor::<Rank2<2, 50257>>::ones();
    //~ a slice of 1000 from 0 on does not fit dimension Const<50257>
    x.slice_axis::<1, 0, 1000>();
}
