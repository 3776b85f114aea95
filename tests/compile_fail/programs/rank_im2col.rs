use taut::prelude::*;

fn main() {
    //~ im2col takes images, (batch, channels, height, width), and (Const<3>, Const<32>, Const<32>) comes
    Tensor::<Rank3<3, 32, 32>>::ones().im2col::<3, 1, 0>();
}
