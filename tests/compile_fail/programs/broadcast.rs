use taut::prelude::*;

fn main() {
    let x = Tensor::<Rank1<3>>::ones();
    //~ shape (Const<3>,) cannot be broadcast to (Const<3>, Const<4>) along Axis<0>
    x.broadcast_to::<Axis<0>, Rank2<3, 4>>(Default::default());
}
