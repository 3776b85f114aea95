use taut::prelude::*;

fn main() {
    let (_, places) = MaxPool2d::<2>.forward_with_indices(Tensor::<Rank4<32, 8, 12, 12>>::ones());
    //~ expected `5`, found `6`
    MaxUnpool2d::<2>.forward((Tensor::<Rank4<32, 8, 5, 5>>::ones(), places));
}
