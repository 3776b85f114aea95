use taut::prelude::*;

fn main() {
    let x = Tensor::<Rank3<2, 3, 4>>::ones();
    //~ `(Axis<1>, Axis<0>)` does not permute the axes of shape (Const<2>, Const<3>, Const<4>)
    x.permute::<(Axis<1>, Axis<0>)>();
}
