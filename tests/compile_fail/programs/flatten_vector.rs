use taut::prelude::*;

fn main() {
    //~ the axes of shape (Const<10>,) from 1 on cannot be made one
    Flatten.forward(Tensor::<Rank1<10>>::ones());
}
