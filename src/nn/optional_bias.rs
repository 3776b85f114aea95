//! Optional biases.

use crate::params::{Param, Parameters};
use crate::shape::{Rank1, Shape};
use crate::tensor::{Element, Float, Tensor};
use crate::trace::Trace;
use rand::Rng;

/// No bias: takes the place of a [`Param`] in a layer's type. In a batch norm, neither scale nor shift.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Parameters)]
pub struct NoBias;

/// The possible biases of a layer with `O` outputs: a [`Param`], or [`NoBias`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a bias for {O} outputs",
    note = "a layer has a bias of type `Param<Rank1<{O}>>`, or `NoBias`"
)]
pub trait OptionalBias<const O: usize, E: Float>: Parameters {
    /// A bias from the uniform distribution over -bound .. bound.
    fn uniform<R: Rng + ?Sized>(bound: f64, rng: &mut R) -> Self;
    /// A bias of equal numbers.
    fn constant(value: f64) -> Self;
    /// The bias on the tape of `x`.
    #[track_caller]
    fn on<S: Shape, F: Element, T: Trace>(&self, x: &Tensor<S, F, T>) -> Option<Tensor<Rank1<O>, E, T>>;
}

impl<const O: usize, E: Float> OptionalBias<O, E> for Param<Rank1<O>, E> {
    fn uniform<R: Rng + ?Sized>(bound: f64, rng: &mut R) -> Self {
        Tensor::uniform(E::of(-bound), E::of(bound), rng).into()
    }
    fn constant(value: f64) -> Self {
        Tensor::full(E::of(value)).into()
    }
    fn on<S: Shape, F: Element, T: Trace>(&self, x: &Tensor<S, F, T>) -> Option<Tensor<Rank1<O>, E, T>> {
        Some(Param::on(self, x))
    }
}

impl<const O: usize, E: Float> OptionalBias<O, E> for NoBias {
    fn uniform<R: Rng + ?Sized>(_: f64, _: &mut R) -> Self {
        NoBias
    }
    fn constant(_: f64) -> Self {
        NoBias
    }
    fn on<S: Shape, F: Element, T: Trace>(&self, _: &Tensor<S, F, T>) -> Option<Tensor<Rank1<O>, E, T>> {
        None
    }
}

/// The parameters of a layer whose outputs are sums of `fan_in` products, from PyTorch's default distribution: uniform
/// over -1/sqrt(fan in) .. 1/sqrt(fan in).
pub(super) fn default_parameters<S: Shape, const O: usize, E: Float, B: OptionalBias<O, E>, R: Rng + ?Sized>(
    shape: S,
    fan_in: usize,
    rng: &mut R,
) -> (Param<S, E>, B) {
    let bound = 1.0 / (fan_in.max(1) as f64).sqrt();
    (Tensor::uniform_with(shape, E::of(-bound), E::of(bound), rng).into(), B::uniform(bound, rng))
}
