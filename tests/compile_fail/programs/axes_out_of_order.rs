use taut::prelude::*;

fn main() {
    let x = Tensor::<Rank3<2, 3, 4>>::ones();
    //~ the axes (Axis<2>, Axis<0>) are not axes of shape (Const<2>, Const<3>, Const<4>) in increasing order
    x.sum_axes::<(Axis<2>, Axis<0>)>();
}
