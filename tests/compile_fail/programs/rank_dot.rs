use taut::prelude::*;

fn main() {
    let x = Tensor::<Rank2<3, 1>>::ones();
    //~ a vector, of one axis, is taken here, and (Const<3>, Const<1>) comes
    x.clone().dot(x);
}
