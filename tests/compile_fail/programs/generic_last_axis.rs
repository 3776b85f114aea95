use taut::prelude::*;

fn run<S: Shape>(layer: &Linear<3, 4>, x: Tensor<S>) {
    //~ shape S has no last axis
    //~ in generic code, write `where S: shape::LastAxis`
    layer.forward(x);
}

fn main() {
    run(&Linear::init(&mut StdRng::seed_from_u64(0)), Tensor::<Rank2<8, 3>>::ones());
}
