use taut::prelude::*;

fn main() {
    //~ a window of kernel 3, stride 1, padding 0 does not fit dimension Const<2>
    Tensor::<Rank4<1, 3, 2, 32>>::ones().im2col::<3, 1, 0>();
}
