use taut::prelude::*;

fn main() {
    let layer = Linear::<784, 10>::init(&mut StdRng::seed_from_u64(0));
    let tape = Tape::inference();
    let x = tape.trace(Tensor::<Rank2<64, 784>>::ones());
    let gradients = layer.forward(x).sum().backward();
    //~ Param<(Const<784>, Const<10>)>
    //~ Param<(Const<10>, Const<784>)>
    let _: Tensor<Rank2<784, 10>> = gradients.of(&layer.weight);
}
