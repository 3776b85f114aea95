//! The rectified linear unit and its leaky form.
//!
//! | y | dy/dx |
//! | --- | --- |
//! | relu(x) = max(x, 0) | 1 where x > 0, 0 elsewhere |
//! | leaky_relu(x) = x where x > 0, a x elsewhere | 1 where x > 0, a elsewhere |
//!
//! Where the derivative of relu is 0, infinite and NaN gradients do not pass either, as in PyTorch.
//!
//! Glorot, Bordes and Bengio, "Deep Sparse Rectifier Neural Networks", 2011; Maas, Hannun and Ng, "Rectifier
//! Nonlinearities Improve Neural Network Acoustic Models", 2013.

use super::unary::{unary, unary_with};
use crate::kernels::elementwise::{Saves, Unary};
use crate::memory::Storage;
use crate::numbers::math::Math;
use crate::numbers::range::{expect, finite};
use crate::ops::UnaryOp;
use crate::shape::Shape;
use crate::tape::record;
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};

/// y = max(x, 0), dy/dx = 1 where y > 0
struct Relu;
impl Unary for Relu {
    const SAVES: Saves = Saves::Output;
    const MASKS: bool = true;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, _: [E; 2]) -> E {
        // NaN stays NaN
        if x < E::zero() { E::zero() } else { x }
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(y: E, _: [E; 2]) -> E {
        if y <= E::zero() { E::zero() } else { E::one() }
    }
}
static RELU: UnaryOp = UnaryOp::of::<Relu>();

/// y, with a backward pass that lets only positive gradients through: see [`Tape::guided`](crate::trace::Tape::guided).
#[track_caller]
fn guided<S: Shape, E: Float, T: Trace>(y: Tensor<S, E, T>) -> Tensor<S, E, T> {
    let (shape, values, trace) = y.into_parts();
    let node = record([trace.node()], |_| {
        move |mut g: Storage<E>, parents: &mut Parents<'_, 1>| {
            g.make_mut().iter_mut().for_each(|g| *g = g.max(E::zero()));
            parents.add(0, g);
        }
    });
    Tensor::from_parts(shape, values, T::from_node(node))
}

/// y = x where x > 0, p0 x elsewhere
struct LeakyRelu;
impl Unary for LeakyRelu {
    const SAVES: Saves = Saves::Input;
    #[inline(always)]
    fn forward<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        if x > E::zero() { x } else { x * p[0] }
    }
    #[inline(always)]
    fn derivative<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
        if x > E::zero() { E::one() } else { p[0] }
    }
}
static LEAKY_RELU: UnaryOp = UnaryOp::of::<LeakyRelu>();

impl<S: Shape, E: Float, T: Trace> Tensor<S, E, T> {
    /// max(x, 0). The gradient at 0 is 0, as in PyTorch.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([-2.0, 3.0]).relu().to_array(), [0.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn relu(self) -> Self {
        let y = unary(self, &RELU);
        if y.trace().node().is_some_and(|node| node.tape.guided.get()) { guided(y) } else { y }
    }

    /// x where x > 0, `slope` x elsewhere. The gradient at 0 is `slope`, as in PyTorch.
    ///
    /// ```
    /// use taut::prelude::*;
    /// assert_eq!(Tensor::from([-2.0, 3.0]).leaky_relu(0.25).to_array(), [-0.5, 3.0]);
    /// ```
    #[track_caller]
    pub fn leaky_relu(self, slope: E) -> Self {
        expect(finite("leaky_relu", "slope", slope.as_f64()));
        unary_with(self, &LEAKY_RELU, [slope; 2])
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        random_shapes!(|shape, rng| {
            check_function(|x| x.relu(), random_apart(shape, -3.0, 3.0, &[0.0], rng));
            check_function(|x| x.leaky_relu(0.1), random_apart(shape, -3.0, 3.0, &[0.0], rng));
            check_function(|x| x.leaky_relu(-0.5), random_apart(shape, -3.0, 3.0, &[0.0], rng));
        });
    }

    #[test]
    fn special_values() {
        let infinity = f32::INFINITY;
        let x = Tensor::from([-infinity, -0.0, infinity, f32::NAN]);
        assert_eq!(x.clone().relu().as_slice()[..3], [0.0, 0.0, infinity]);
        assert_eq!(x.clone().leaky_relu(0.5).as_slice()[..3], [-infinity, 0.0, infinity]);
        assert!(x.clone().relu()[[3]].is_nan() && x.leaky_relu(0.5)[[3]].is_nan());
    }

    #[test]
    fn no_gradient_passes_where_the_output_is_zero() {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([-1.0, 0.0, 2.0]));
        let upstream = Tensor::from([f32::INFINITY, f32::NAN, f32::INFINITY]);
        let gradients = x.clone().relu().vector_jacobian(upstream);
        assert_eq!(gradients.of_input(&x).to_array(), [0.0, 0.0, f32::INFINITY]);
    }

    #[test]
    fn the_gradient_at_the_corner_is_that_of_the_left() {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([0.0, -0.0]));
        let y = x.clone().relu() * 10.0 + x.clone().leaky_relu(0.5);
        assert_eq!(y.sum().backward().of_input(&x).to_array(), [0.5, 0.5]);
    }
}
