use taut::prelude::*;

fn rows<S: Shape>(x: Tensor<S>) -> Tensor<Rank2<2, 7>> {
    //~ in generic code, write `where S:
    x.reshape()
}

fn main() {
    rows(Tensor::<Rank1<14>>::ones());
}
