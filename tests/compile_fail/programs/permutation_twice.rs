use taut::prelude::*;

fn main() {
    let x = Tensor::<Rank3<2, 3, 4>>::ones();
    //~ Axis<1> is named twice
    x.permute::<(Axis<1>, Axis<0>, Axis<1>)>();
}
