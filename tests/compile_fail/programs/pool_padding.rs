use taut::prelude::*;

fn main() {
    //~ padding 2 is more than half of a pooling window of Const<3>
    //~ required for `MaxPool2d<3, 2, 2>` to implement `Module<
    MaxPool2d::<3, 2, 2>.forward(Tensor::<Rank4<32, 8, 28, 28>>::ones());
}
