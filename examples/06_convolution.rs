//! Convolution: the compiler computes the image size through every layer.
//!
//!     cargo run --release --example 06_convolution

use taut::data::digits;
use taut::prelude::*;

/// Images of 8x8 pixels: 8 -> 8 (padding 1) -> 4 (pooling) -> 4 -> 2, and 16 channels of 2x2 are 64 features.
/// With `Linear<63, 10>` the compiler says: expected `63`, found `Const<64>`.
type Net = (
    (Conv2d<1, 8, 3, 1, 1>, BatchNorm2d<8>, Relu, MaxPool2d<2>), // in, out, kernel, stride, padding
    (Conv2d<8, 16, 3, 1, 1>, BatchNorm2d<16>, Relu, MaxPool2d<2>),
    Flatten,
    Linear<64, 10>,
);

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    let (train, test) = digits().split(0.25, &mut rng);
    let mut model = Net::init(&mut rng);
    println!("{}", model.summary::<Rank4<1, 1, 8, 8>>());

    let mut optimizer =
        Sgd::new(SgdConfig { learning_rate: 0.1, momentum: Momentum::Classic(0.9), ..Default::default() });
    for epoch in 1..=5 {
        // batches of 64; the last one holds the remainder, so the size is a run-time `usize`
        for (images, labels) in train.batches_of(64, &mut rng) {
            let tape = Tape::training(&mut rng);
            let batch = images.shape().0;
            let images = images.reshape_with((batch, Const::<1>, Const::<8>, Const::<8>));
            let loss = model.forward(tape.trace(images)).cross_entropy(&labels);
            // the weights, and the running statistics of the batch norms
            optimizer.step(&mut model, &loss.backward());
        }
        let (images, labels) = test.whole();
        let images = images.clone().reshape_with((images.shape().0, Const::<1>, Const::<8>, Const::<8>));
        let right = 100.0 * model.forward(images).accuracy(&labels);
        println!("epoch {epoch}: {right:.1}% of the test right");
    }
}
