//! Whole training runs: the losses of the first 50 steps of two convolutional networks are those of PyTorch, from the
//! same weights and the same batches.
//!
//! ```text
//! cargo test --release --test pytorch_curves -- --ignored
//! ```

mod common;

use common::{Entry, case, hashed};
use taut::optim::Rule;
use taut::params::ValuesMut;
use taut::prelude::*;

/// Sets all numbers, except the weights and biases of batch norm, which stay 1 and 0.
fn set<E: Float>(values: &mut [E], number: impl Fn(usize) -> E) {
    if !values.iter().all(|&x| x == E::zero() || x == E::one()) {
        values.iter_mut().enumerate().for_each(|(i, value)| *value = number(i));
    }
}

fn fill(model: &mut impl Parameters) {
    let mut place = 0;
    model.for_each_parameter_mut(|path, leaf| {
        if path.contains("running") {
            return;
        }
        let bound = match leaf.sizes.len() {
            1 => 0.1,
            _ => (3.0 / leaf.sizes[1..].iter().product::<usize>() as f64).sqrt(),
        };
        match leaf.values {
            ValuesMut::F32(values) => set(values, |i| (hashed(place, i) * bound) as f32),
            ValuesMut::F64(values) => set(values, |i| hashed(place, i) * bound),
        }
        place += 1;
    });
}

/// The second network is compared in 64 bits: in 32 bits even PyTorch differs from itself in 64 by 0.007 after 7 steps.
///
/// Trains for as many steps as PyTorch did and compares each loss; they begin above 2 and end far below.
fn compare<E, M, R, const C: usize, const H: usize>(name: &str, mut optimizer: Optimizer<R>, steps: usize)
where
    E: Float + Entry,
    M: Init
        + Parameters
        + Module<Tensor<Rank4<64, C, H, H>, E, Traced<Training>>, Output = Tensor<Rank2<64, 10>, E, Traced<Training>>>,
    R: Rule,
{
    let expected: Vec<f64> = case("curves", name).output();
    let mut rng = StdRng::seed_from_u64(0);
    let mut model = M::init(&mut rng);
    fill(&mut model);
    let pixels = C * H * H;
    for (step, &expected) in expected.iter().enumerate().take(steps) {
        let label = |i: usize| (7 * i + 3 * step) % 10;
        let labels = Tensor::<Rank1<64>, usize>::from_fn(|[i]| label(i));
        let images = Tensor::<Rank4<64, C, H, H>, E>::from_fn(|[i, c, y, x]| {
            let pixel = (c * H + y) * H + x;
            E::entry(0.5 * hashed(1000 + label(i), pixel) + hashed(2000 + step, i * pixels + pixel))
        });
        let tape = Tape::training(&mut rng);
        let loss = model.forward(tape.trace(images)).cross_entropy(&labels);
        let found = loss.item().as_number();
        assert!((found - expected).abs() < 1e-3, "{name}, step {step}: {found}, and PyTorch has {expected}");
        optimizer.step(&mut model, &loss.backward());
    }
}

type LeNet = (
    (Conv2d<1, 6, 5, 1, 2>, Relu, MaxPool2d<2>),
    (Conv2d<6, 16, 5>, Relu, MaxPool2d<2>),
    Flatten,
    (Linear<400, 120>, Relu),
    (Linear<120, 84>, Relu),
    Linear<84, 10>,
);

type Block<const I: usize, const O: usize> = (
    (Conv2d<I, O, 3, 1, 1, 1, f64>, BatchNorm2d<O, f64>, Relu),
    (Conv2d<O, O, 3, 1, 1, 1, f64>, BatchNorm2d<O, f64>, Relu),
    MaxPool2d<2>,
);
type Vgg =
    ((Block<3, 64>, Block<64, 128>, Block<128, 256>), Flatten, (Linear<4096, 256, f64>, Relu), Linear<256, 10, f64>);

#[test]
fn lenet_for_its_first_steps() {
    compare::<f32, LeNet, _, 1, 28>("lenet", Adam::new(AdamConfig::default()), 5);
}

#[test]
#[ignore = "minutes without optimization"]
fn lenet() {
    compare::<f32, LeNet, _, 1, 28>("lenet", Adam::new(AdamConfig::default()), 50);
}

#[test]
#[ignore = "a minute with optimization, an hour without"]
fn vgg() {
    let config = SgdConfig { learning_rate: 0.01, momentum: Momentum::Classic(0.9), ..Default::default() };
    compare::<f64, Vgg, _, 3, 32>("vgg", Sgd::new(config), 50);
}
