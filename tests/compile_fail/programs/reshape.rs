use taut::prelude::*;

fn main() {
    let x = Tensor::<Rank2<3, 4>>::ones();
    //~ expected `Const<14>` elements, found `Const<12>`
    x.reshape::<Rank2<2, 7>>();
}
