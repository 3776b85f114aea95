use taut::prelude::*;

fn main() {
    let (maxima, places) = MaxPool2d::<2>.forward_with_indices(Tensor::<Rank4<32, 8, 12, 12>>::ones());
    //~ expected `3`, found `2`
    MaxUnpool2d::<3>.forward((maxima, places));
}
