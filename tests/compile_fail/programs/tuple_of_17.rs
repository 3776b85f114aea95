use taut::prelude::*;

fn main() {
    let model =
        (Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu);
    //~ a tuple has at most 16 layers: nest longer ones
    model.forward(Tensor::<Rank1<3>>::ones());
}
