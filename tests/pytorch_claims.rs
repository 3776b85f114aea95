//! What the documentation claims to be as in PyTorch, where no other test of values shows it: NaN and ties in orders,
//! corners of derivatives, gradients that are not finite, clipping, and initial distributions.

mod common;

use common::{F64, case};
use taut::nn::MultiHeadAttention;
use taut::ops::Order::{Ascending, Descending};
use taut::ops::Variance::Unbiased;
use taut::params::Values;
use taut::prelude::*;

type Odd = Rank2<3, 4>;

#[test]
fn nan_and_ties_are_ordered_alike() {
    let odd = case("claims", "argmax").input::<Odd, f64>(0);
    case("claims", "argmax").expect_output(&odd.argmax_axis::<1>(), 0.0);
    case("claims", "argmin").expect_output(&odd.argmin_axis::<1>(), 0.0);
    case("claims", "max").expect_output(&odd.clone().max_axis::<1>(), 0.0);
    case("claims", "min").expect_output(&odd.clone().min_axis::<1>(), 0.0);
    case("claims", "sort").expect_output(&odd.clone().sort::<1>(Ascending).0, 0.0);
    case("claims", "argsort").expect_output(&odd.argsort::<1>(Ascending), 0.0);
    case("claims", "argsort descending").expect_output(&odd.argsort::<1>(Descending), 0.0);
}

#[test]
fn corners_of_derivatives_are_alike() {
    case("claims", "round").check::<(Tensor<Rank1<6>, f64>,), _, _>(F64, |(x,)| x.round());
    case("claims", "fmod").check::<(Tensor<Rank1<6>, f64>,), _, _>(F64, |(x,)| x % -1.0);
    case("claims", "leaky_relu").check::<(Tensor<Rank1<4>, f64>,), _, _>(F64, |(x,)| x.leaky_relu(0.125));
    case("claims", "std").check::<(Tensor<Rank2<2, 3>, f64>,), _, _>(F64, |(x,)| x.std_axis::<1>(Unbiased));
    let masked = case("claims", "softmax");
    masked.expect_output(&masked.input::<Rank2<2, 3>, f64>(0).softmax::<1>(), F64);
}

#[test]
fn gradients_that_are_not_finite_stop_where_the_derivative_is_0() {
    case("claims", "relu").check::<(Tensor<Rank1<4>, f64>,), _, _>(F64, |(x,)| x.relu());
    case("claims", "clamp").check::<(Tensor<Rank1<4>, f64>,), _, _>(F64, |(x,)| x.clamp(-0.5, 0.5));
}

#[test]
fn gradients_are_clipped_alike() {
    let case = case("claims", "clip_norm");
    let tape = Tape::training(&mut StdRng::seed_from_u64(0));
    let layer = Bias::<5, f64>::init(&mut StdRng::seed_from_u64(0));
    let y = layer.forward(tape.trace(Tensor::<Rank2<1, 5>, f64>::zeros()));
    let mut gradients = y.vector_jacobian(case.input::<Rank1<5>, f64>(0).unsqueeze::<0>());
    let norm = gradients.clip_norm(0.75);
    assert!((norm - case.parameter("norm")).abs() < 1e-9, "{norm}");
    case.expect_output(&gradients.of(&layer.bias), F64);
}

/// The largest initial weight in absolute value and the deviation of all are those of PyTorch: for tens of thousands of
/// numbers both are within 2% of the distribution's, the largest of a normal one within a fifth.
fn first_weights<M: Init + Parameters>(name: &str) {
    let model = M::init(&mut StdRng::seed_from_u64(0));
    let mut weights: Option<Vec<f64>> = None;
    model.for_each_parameter(|_, leaf| match leaf.values {
        // the first, as in the generator
        Values::F32(values) => drop(weights.get_or_insert_with(|| values.iter().map(|&x| f64::from(x)).collect())),
        Values::F64(_) => unreachable!("{name} is of f32"),
    });
    let weights = weights.expect("a weight");
    let weights = Tensor::from_vec(weights.clone(), (weights.len(),)).expect("all of them");
    let expected = case("claims", &format!("first weights of {name}")).output();
    let near = |found: f64, expected: f64, share: f64| (found / expected - 1.0).abs() < share;
    let (largest, deviation) = (weights.clone().abs().max().item(), weights.std(Unbiased).item());
    assert!(
        near(largest, expected[0], if name == "embedding" { 0.2 } else { 0.02 }),
        "{name}: {largest}, {expected:?}"
    );
    assert!(near(deviation, expected[1], 0.02), "{name}: {deviation}, {expected:?}");
}

#[test]
fn first_weights_are_distributed_alike() {
    first_weights::<Linear<100, 400>>("linear");
    first_weights::<Conv2d<20, 80, 5>>("convolution");
    first_weights::<GroupedConv2d<20, 400, 5, 5>>("grouped convolution");
    first_weights::<ConvTranspose2d<20, 80, 5>>("transposed convolution");
    first_weights::<Embedding<500, 80>>("embedding");
    first_weights::<Rnn<100, 200>>("recurrent");
    first_weights::<MultiHeadAttention<120, 4>>("attention");
}
