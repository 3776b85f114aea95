use taut::prelude::*;

fn main() {
    let (maxima, places) = MaxPool2d::<2>.forward_with_indices(Tensor::<Rank4<1, 3, 32, 32>>::ones());
    //~ this layer takes images, (batch, channels, height, width), and (Const<3>, Const<16>, Const<16>) comes
    MaxUnpool2d::<2>.forward((maxima.squeeze::<0>(), places));
}
