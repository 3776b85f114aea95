use taut::explain::{Class, grad_cam};
use taut::prelude::*;

type Network = ((Conv2d<1, 4, 3>, Relu), MaxPool2d<2>, Flatten, Linear<36, 10>);

fn main() {
    let network = Network::init(&mut StdRng::seed_from_u64(0));
    let images = Tensor::<Rank4<2, 1, 8, 8>>::ones();
    //~ no field `4` on type
    let _ = grad_cam(&network, |network| &network.4, &images, Class(3));
}
