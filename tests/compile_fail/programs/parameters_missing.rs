use taut::prelude::*;

struct Net(Linear<3, 4>);

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    let mut model = Net(Linear::init(&mut rng));
    let x = Tape::training(&mut rng).trace(Tensor::<Rank1<3>>::ones());
    let gradients = model.0.forward(x).sum().backward();
    //~ `Net` does not say what its parameters are
    Sgd::new(SgdConfig::default()).step(&mut model, &gradients);
}
