use taut::prelude::*;

fn main() {
    let x = Tensor::<Rank3<2, 10, 64>>::ones();
    //~ axis 2 of shape (Const<2>, Const<10>, Const<64>) cannot be made one with the next
    x.merge_axes::<2>();
}
