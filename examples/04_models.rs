//! Models: layers, tuples of layers, and structs of layers. A model is a type.
//!
//!     cargo run --example 04_models

use taut::prelude::*;

/// A chain is a tuple. If a layer did not accept the output of the one before, `forward` would not compile.
type Mlp = ((Linear<784, 128>, Relu), Linear<128, 10>);

/// A struct names its parts, and the names are those of the saved parameters.
#[derive(Init, Module, Parameters)]
struct Named {
    hidden: (Linear<784, 128>, Relu),
    output: Linear<128, 10>,
}

/// Anything that is not a chain implements `forward` itself: here y = value(x) * sigmoid(gate(x)).
#[derive(Init, Parameters)]
struct Gated {
    value: Linear<64, 64>,
    gate: Linear<64, 64>,
}

/// For a batch of any size, on a tape or not.
impl<B: Dim, T: Trace> Module<Tensor<(B, Const<64>), f32, T>> for Gated {
    type Output = Tensor<(B, Const<64>), f32, T>;
    fn apply(&self, x: Tensor<(B, Const<64>), f32, T>) -> Self::Output {
        let gate = self.gate.forward(x.clone()).sigmoid();
        self.value.forward(x) * gate
    }
}

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    let images = Tensor::<Rank2<32, 784>>::randn(&mut rng);

    let logits: Tensor<Rank2<32, 10>> = Mlp::init(&mut rng).forward(images.clone());
    println!("the logits of the first image: {:.2}\n", logits.slice(0));

    let named = Named::init(&mut rng);
    named.for_each_parameter(|name, parameter| println!("{name:<16} {:?}", parameter.sizes));
    println!("\n{}", named.summary::<Rank2<1, 784>>());

    // A custom layer is used like any other.
    let model = <(Linear<784, 64>, Gated, Residual<Gated>, Linear<64, 10>)>::init(&mut rng);
    let logits: Tensor<Rank2<32, 10>> = model.forward(images);
    println!("through the gates: {:.2}", logits.slice(0));
}
