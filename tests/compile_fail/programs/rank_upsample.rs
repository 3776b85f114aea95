use taut::prelude::*;

fn main() {
    //~ this layer takes images, (batch, channels, height, width), and (Const<3>, Const<32>, Const<32>) comes
    //~ `UpsampleBilinear2d<2>`
    UpsampleBilinear2d::<2>.forward(Tensor::<Rank3<3, 32, 32>>::ones());
}
