use taut::prelude::*;

type Deep = (Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu, Relu);

fn main() {
    //~ a tuple of more than 16 layers is not a layer
    //~ nest it: `((A, B, C), (D, E, F))`
    Deep::init(&mut StdRng::seed_from_u64(0));
}
