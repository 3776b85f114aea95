//! Gradients: the result of a backward pass.

use super::{Mode, Trace, Traced};
use crate::numbers::range::{at_least_zero, expect, finite};
use crate::shape::Shape;
use crate::tape::{AnyStorage, Found, Gradient, NodeId, Update};
use crate::tensor::{Float, Tensor};

/// The result of a backward pass: a gradient for each parameter and each watched input, and new running statistics.
///
/// Gradients of several passes over one model add up (`a + b`, `+=`), even from several threads. They scale
/// (`g * 0.5`) and are clipped here before they go to the optimizer. Running statistics of added passes are applied in
/// turn, in the order of the addition, as if the passes had been made one after the other.
///
/// ```
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let layer = Linear::<2, 1>::init(&mut rng);
/// let pass = |x| layer.forward(Tape::inference().trace(Tensor::from([x]))).sum().backward();
/// let both = pass([1.0, 2.0]) + pass([10.0, 20.0]);
/// assert_eq!(both.of(&layer.weight).to_array(), [[11.0, 22.0]]);
/// ```
#[derive(Clone)]
#[must_use = "gradients change nothing until an optimizer's `step` takes them"]
pub struct Gradients {
    tape: u64,
    /// Sorted by the parameter's id.
    parameters: Vec<(u64, Gradient)>,
    /// Sorted by node.
    inputs: Vec<(NodeId, AnyStorage)>,
    updates: Vec<Update>,
}

/// The norm of parts with these norms; squares may be outside the range of f64.
pub(crate) fn norm_of_norms(norms: impl Iterator<Item = f64>) -> f64 {
    norms.fold(0.0, f64::hypot)
}

impl Gradients {
    pub(super) fn found(Found { tape, mut parameters, mut inputs, updates: noted }: Found) -> Self {
        parameters.sort_unstable_by_key(|entry| entry.0);
        inputs.sort_unstable_by_key(|entry| entry.0);
        let mut updates = Vec::new();
        Update::append(&mut updates, noted);
        Gradients { tape, parameters, inputs, updates }
    }

    /// Those of these parameters, by their ids, and changes of buffers: of no tape.
    pub(crate) fn of_parts(parameters: Vec<(u64, Gradient)>, updates: Vec<Update>) -> Self {
        Gradients::found(Found { tape: u64::MAX, parameters, inputs: Vec::new(), updates })
    }

    /// The reverse of [`of_parts`](Self::of_parts).
    pub(crate) fn into_parts(self) -> (Vec<(u64, Gradient)>, Vec<Update>) {
        (self.parameters, self.updates)
    }

    /// By id.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &(u64, Gradient)> {
        self.parameters.iter()
    }

    pub(crate) fn find(&self, parameter: u64) -> Option<&Gradient> {
        let place = self.parameters.binary_search_by_key(&parameter, |entry| entry.0).ok()?;
        Some(&self.parameters[place].1)
    }

    /// The number of parameters with a gradient.
    pub(crate) fn count(&self) -> usize {
        self.parameters.len()
    }

    /// How a buffer changes.
    pub(crate) fn update(&self, buffer: u64) -> Option<&Update> {
        self.updates.iter().find(|update| update.buffer == buffer)
    }

    /// The gradient of an input that was [watched](super::Tape::watch), or of an intermediate value that
    /// [was](Tensor::watch): zeros if the loss did not depend on it.
    ///
    /// # Panics
    /// If `input` was not watched, or is on another tape than these gradients.
    #[track_caller]
    pub fn of_input<S: Shape, E: Float, M: Mode>(&self, input: &Tensor<S, E, Traced<M>>) -> Tensor<S, E> {
        let node = input.trace().node().expect("a traced tensor is on a tape");
        if node.tape.number != self.tape {
            panic!("`of_input`: this tensor is on another tape than the gradients come from");
        }
        if !node.tape.state.borrow().watched.contains(&node.id) {
            panic!(
                "`of_input`: this tensor was not brought onto the tape with `watch`, nor is it the result of `.watch()`"
            );
        }
        match self.inputs.binary_search_by_key(&node.id, |entry| entry.0) {
            Ok(place) => Tensor::from_storage(input.shape(), self.inputs[place].1.clone().of()),
            Err(_) => Tensor::zeros_with(input.shape()),
        }
    }

    fn parameters_mut(&mut self) -> impl Iterator<Item = &mut AnyStorage> {
        self.parameters.iter_mut().map(|entry| entry.1.values_mut())
    }

    /// The Euclidean norm of the gradients of all parameters together.
    pub fn norm(&self) -> f64 {
        norm_of_norms(self.parameters.iter().map(|entry| entry.1.values().norm()))
    }

    /// Scales the gradients of all parameters so that their [norm](Gradients::norm) is at most `limit`, and returns
    /// their previous norm: g <- g min(1, limit / |g|). Pascanu, Mikolov and Bengio, "On the difficulty of training
    /// recurrent neural networks", 2013.
    ///
    /// If the norm is infinite or NaN, nothing is scaled, and the caller sees it in the result.
    ///
    /// # Panics
    /// If the limit is negative or NaN.
    #[doc(alias = "clip_grad_norm_")]
    #[track_caller]
    pub fn clip_norm(&mut self, limit: f64) -> f64 {
        expect(at_least_zero("clip_norm", "limit", limit));
        let norm = self.norm();
        if norm.is_finite() && norm > limit {
            // 1e-6 as in PyTorch's `clip_grad_norm_`
            let factor = limit / (norm + 1e-6);
            self.parameters_mut().for_each(|gradient| gradient.scale(factor));
        }
        norm
    }

    /// Clips every number in the gradients of all parameters to `-limit ..= limit`.
    ///
    /// # Panics
    /// If the limit is negative or NaN.
    #[doc(alias = "clip_grad_value_")]
    #[track_caller]
    pub fn clip_value(&mut self, limit: f64) {
        expect(at_least_zero("clip_value", "limit", limit));
        self.parameters_mut().for_each(|gradient| gradient.clamp(limit));
    }

    /// Multiplies the gradients of all parameters and inputs.
    ///
    /// # Panics
    /// If the factor is infinite or NaN.
    #[track_caller]
    pub fn scale(&mut self, factor: f64) {
        expect(finite("scale", "factor", factor));
        self.parameters_mut().for_each(|gradient| gradient.scale(factor));
        self.inputs.iter_mut().for_each(|entry| entry.1.scale(factor));
    }

    /// Whether no gradient of a parameter is infinite or not a number.
    pub fn is_finite(&self) -> bool {
        self.parameters.iter().all(|entry| entry.1.values().is_finite())
    }
}

impl std::ops::AddAssign for Gradients {
    /// Adds the gradients of the parameters. Those of inputs belong to one tape: the left-hand side's are kept.
    fn add_assign(&mut self, other: Self) {
        for (id, gradient) in other.parameters {
            match self.parameters.binary_search_by_key(&id, |entry| entry.0) {
                Ok(place) => self.parameters[place].1.add(gradient),
                Err(place) => self.parameters.insert(place, (id, gradient)),
            }
        }
        Update::append(&mut self.updates, other.updates);
    }
}

impl std::ops::Add for Gradients {
    type Output = Self;
    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl std::ops::Mul<f64> for Gradients {
    type Output = Self;
    fn mul(mut self, factor: f64) -> Self {
        self.scale(factor);
        self
    }
}

impl std::iter::Sum for Gradients {
    /// The sum of the gradients of several passes: that of none has no gradients.
    fn sum<I: Iterator<Item = Self>>(gradients: I) -> Self {
        gradients.reduce(|a, b| a + b).unwrap_or_else(|| Gradients::of_parts(Vec::new(), Vec::new()))
    }
}

impl std::fmt::Debug for Gradients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gradients {{ parameters: {}, inputs: {} }}", self.parameters.len(), self.inputs.len())
    }
}
