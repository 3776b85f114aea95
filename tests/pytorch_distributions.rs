//! Distributions: PyTorch's log-probabilities, entropies and gradients, in f32 and f64.

mod common;

use common::{Entry, F32, F64, case};
use taut::distributions::{Categorical, Gaussian};
use taut::prelude::*;

type Rows<E> = Tensor<Rank2<3, 4>, E>;

fn categorical<E: Float + Entry>(name: &str, tolerance: f64) {
    let found = case("distributions", &format!("{name} log_probability"));
    let classes: Tensor<Rank1<3>, usize> = found.parameter_tensor("classes");
    found.check::<(Rows<E>,), _, _>(tolerance, |(z,)| Categorical::new(z).log_probability(&classes));
    let found = case("distributions", &format!("{name} entropy"));
    found.expect_output(&Categorical::new(found.input::<Rank2<3, 4>, E>(0)).entropy(), tolerance);
}

fn gaussian<E: Float + Entry>(tolerance: f64) {
    let found = case("distributions", "gaussian log_probability");
    let x: Rows<E> = found.parameter_tensor("x");
    found.check::<(Rows<E>, Rows<E>), _, _>(tolerance, |(mean, log_deviation)| {
        Gaussian::new(mean, log_deviation).log_probability(&x)
    });
    let found = case("distributions", "gaussian entropy");
    found.check::<(Rows<E>, Rows<E>), _, _>(tolerance, |(mean, log_deviation)| {
        Gaussian::new(mean, log_deviation).entropy()
    });
}

#[test]
fn a_categorical_distribution() {
    let entropy = case("distributions", "categorical entropy");
    entropy.check::<(Rows<f32>,), _, _>(F32, |(z,)| Categorical::new(z).entropy());
    entropy.check::<(Rows<f64>,), _, _>(F64, |(z,)| Categorical::new(z).entropy());
    categorical::<f32>("categorical", F32);
    categorical::<f64>("categorical", F64);
}

#[test]
fn classes_that_cannot_be() {
    categorical::<f32>("categorical masked", F32);
    categorical::<f64>("categorical masked", F64);
}

#[test]
fn a_gaussian_distribution() {
    gaussian::<f32>(F32);
    gaussian::<f64>(F64);
}
