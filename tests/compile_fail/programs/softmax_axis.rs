use taut::prelude::*;

fn main() {
    let x = Tensor::<Rank2<3, 4>>::ones();
    //~ there is no axis 2 in shape (Const<3>, Const<4>)
    x.softmax::<2>();
}
