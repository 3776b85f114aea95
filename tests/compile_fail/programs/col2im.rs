use taut::prelude::*;

fn main() {
    let matrix = Tensor::<Rank2<5, 4>>::ones();
    //~ a matrix (Const<5>, Const<4>) is not what a window of kernel 2, stride 1, padding 0 makes of images
    matrix.col2im::<2, 1, 0, _>(Rank4::<1, 1, 3, 3>::default());
}
