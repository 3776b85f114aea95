//! Comparing gradients with finite differences.

use crate::numbers::Generator;
use crate::params::{Kind, Parameters, ValuesMut};
use crate::shape::Shape;
use crate::tape::AnyStorage;
use crate::tensor::Tensor;
use crate::trace::{Gradients, Tape, Traced, Training};
use std::fmt;

/// Half the distance between the two points of a central difference. Its error is about h^2 (from the third
/// derivative) plus 1e-16 / h (from rounding): both are near 1e-11 here.
const STEP: f64 = 1e-5;
/// How far a gradient may be from its finite difference, relative to the larger of it and 1.
const TOLERANCE: f64 = 1e-6;

/// A gradient that differs from its finite difference.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientMismatch {
    /// The input or parameter.
    pub operand: String,
    /// The index of its element, in row-major order.
    pub element: usize,
    /// The gradient that the backward pass gave.
    pub gradient: f64,
    /// The finite difference.
    pub finite_difference: f64,
}

impl fmt::Display for GradientMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let GradientMismatch { operand, element, gradient, finite_difference } = self;
        write!(
            f,
            "the gradient of {operand}, element {element}, is {gradient}, \
             but the finite difference is {finite_difference}"
        )
    }
}
impl std::error::Error for GradientMismatch {}

/// The operands of a function under test: an f64 tensor, or a tuple of up to four.
pub trait Inputs: Clone {
    /// The same on a tape.
    type Watched;
    #[doc(hidden)]
    fn watch(&self, tape: &Tape<Training>) -> Self::Watched;
    #[doc(hidden)]
    fn copy(watched: &Self::Watched) -> Self::Watched;
    #[doc(hidden)]
    fn gradients(watched: &Self::Watched, gradients: &Gradients) -> Vec<Vec<f64>>;
    #[doc(hidden)]
    fn values(&mut self) -> Vec<&mut [f64]>;
}

impl<S: Shape> Inputs for Tensor<S, f64> {
    type Watched = Tensor<S, f64, Traced<Training>>;
    fn watch(&self, tape: &Tape<Training>) -> Self::Watched {
        tape.watch(self.clone())
    }
    fn copy(watched: &Self::Watched) -> Self::Watched {
        watched.clone()
    }
    fn gradients(watched: &Self::Watched, gradients: &Gradients) -> Vec<Vec<f64>> {
        vec![gradients.of_input(watched).to_vec()]
    }
    fn values(&mut self) -> Vec<&mut [f64]> {
        vec![self.as_mut_slice()]
    }
}

macro_rules! tuple_inputs {
    ($(($($index:tt $input:ident),+))*) => { $(
        impl<$($input: Inputs),+> Inputs for ($($input,)+) {
            type Watched = ($($input::Watched,)+);
            fn watch(&self, tape: &Tape<Training>) -> Self::Watched {
                ($(self.$index.watch(tape),)+)
            }
            fn copy(watched: &Self::Watched) -> Self::Watched {
                ($($input::copy(&watched.$index),)+)
            }
            fn gradients(watched: &Self::Watched, gradients: &Gradients) -> Vec<Vec<f64>> {
                [$($input::gradients(&watched.$index, gradients)),+].concat()
            }
            fn values(&mut self) -> Vec<&mut [f64]> {
                let mut all = Vec::new();
                $(all.extend(self.$index.values());)+
                all
            }
        }
    )* };
}
tuple_inputs! { (0 A, 1 B) (0 A, 1 B, 2 C) (0 A, 1 B, 2 C, 3 D) }

/// The weights of a sum over the outputs: different numbers, none of them 0 or 1, so that no error cancels.
fn weights(count: usize) -> impl Iterator<Item = f64> {
    (0..count).map(|i| 0.5 + ((i as f64 + 1.0) * 0.754_877_666).fract())
}

fn weighted<S: Shape>(y: &Tensor<S, f64, Traced<Training>>) -> f64 {
    y.as_slice().iter().zip(weights(y.count())).map(|(y, w)| y * w).sum()
}

/// A training tape whose generator always starts in the same state: dropout draws the same mask in every evaluation.
fn tape() -> Tape<Training> {
    Tape::training(&mut Generator::new(0))
}

fn compare(operand: &str, element: usize, gradient: f64, at: impl Fn(f64) -> f64) -> Result<(), GradientMismatch> {
    let finite_difference = (at(STEP) - at(-STEP)) / (2.0 * STEP);
    let scale = gradient.abs().max(finite_difference.abs()).max(1.0);
    if (gradient - finite_difference).abs() <= TOLERANCE * scale {
        return Ok(());
    }
    Err(GradientMismatch { operand: operand.to_string(), element, gradient, finite_difference })
}

/// Compares the gradients of `f`, a custom operation say, with finite differences, for every element of every
/// input, in f64. The output may have any shape: its elements are added up with fixed weights.
///
/// Avoid points where the function has no derivative: the comparison is meaningless there.
///
/// # Errors
/// The first gradient that differs.
///
/// ```
/// use taut::prelude::*;
/// let x = Tensor::<_, f64>::of([[0.5, -1.5], [2.0, 0.25]]);
/// let y = Tensor::<_, f64>::of([[1.0, 3.0], [-1.0, 0.5]]);
/// check_gradients(|(x, y)| x.sigmoid() * y, (x, y)).unwrap();
/// ```
pub fn check_gradients<I: Inputs, S: Shape>(
    f: impl Fn(I::Watched) -> Tensor<S, f64, Traced<Training>>,
    inputs: I,
) -> Result<(), GradientMismatch> {
    let tape_used = tape();
    let watched = inputs.watch(&tape_used);
    let y = f(I::copy(&watched));
    let upstream = Tensor::from_vec(weights(y.count()).collect(), y.shape()).expect("as many weights as outputs");
    let gradients = I::gradients(&watched, &y.vector_jacobian(upstream));
    for (operand, gradient) in gradients.iter().enumerate() {
        for (element, &gradient) in gradient.iter().enumerate() {
            compare(&format!("input {operand}"), element, gradient, |step| {
                let mut moved = inputs.clone();
                moved.values()[operand][element] += step;
                weighted(&f(moved.watch(&tape())))
            })?;
        }
    }
    Ok(())
}

/// Compares the gradients of all f64 parameters of a model with finite differences. `f` runs the model on the given
/// tape.
///
/// # Errors
/// The first gradient that differs.
///
/// ```
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let model = <(Linear<3, 4, f64>, Sigmoid, Linear<4, 2, f64>)>::init(&mut rng);
/// let x = Tensor::<Rank2<5, 3>, f64>::randn(&mut rng);
/// check_parameter_gradients(&model, |model, tape| model.forward(tape.trace(x.clone()))).unwrap();
/// ```
pub fn check_parameter_gradients<M: Parameters + Clone, S: Shape>(
    model: &M,
    f: impl Fn(&M, &Tape<Training>) -> Tensor<S, f64, Traced<Training>>,
) -> Result<(), GradientMismatch> {
    // a clone has different parameter ids, so run the one whose ids are used below
    let mut model = model.clone();
    let y = f(&model, &tape());
    let upstream = Tensor::from_vec(weights(y.count()).collect(), y.shape()).expect("as many weights as outputs");
    let gradients = y.vector_jacobian(upstream);
    let mut found = Vec::new();
    model.for_each_parameter_mut(|path, leaf| {
        if leaf.kind == Kind::Parameter {
            let gradient = match gradients.find(leaf.id).map(|gradient| gradient.clone().whole()) {
                Some(AnyStorage::F64(gradient)) => gradient.as_slice().to_vec(),
                _ => match leaf.values {
                    ValuesMut::F64(values) => vec![0.0; values.len()],
                    ValuesMut::F32(_) => return,
                },
            };
            found.push((path.to_string(), gradient));
        }
    });
    for (name, gradient) in found {
        for (element, &gradient) in gradient.iter().enumerate() {
            compare(&name, element, gradient, |step| {
                let mut moved = model.clone();
                moved.for_each_parameter_mut(|path, leaf| {
                    if let (true, ValuesMut::F64(values)) = (path == name, leaf.values) {
                        values[element] += step;
                    }
                });
                weighted(&f(&moved, &tape()))
            })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn a_wrong_gradient_is_found() {
        let wrong = |x: Tensor<Rank1<2>, f64, Traced<Training>>| custom(x, |x| (x.clone() * x.clone(), move |g| g * x));
        let error = check_gradients(wrong, Tensor::<_, f64>::of([1.0, 2.0])).unwrap_err();
        assert_eq!((error.operand.as_str(), error.element), ("input 0", 0));
        assert!((error.finite_difference / error.gradient - 2.0).abs() < 1e-6);
    }
}
