use taut::prelude::*;

fn main() {
    let x = Tensor::<Rank2<2, 3>>::ones();
    //~ expected `7`, found `6`
    let _: Tensor<Rank2<2, 7>> = (x.clone(), x).concat::<1>();
}
