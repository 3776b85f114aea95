//! temporary
use super::{Init, Module, Parameters};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// max(x, 0).
#[derive(Clone, Copy, Debug, Default, Init, Parameters)]
pub struct Relu;
impl<S: Shape, E: Float, T: Trace> Module<Tensor<S, E, T>> for Relu {
    type Output = Tensor<S, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Tensor<S, E, T> {
        x.relu()
    }
}
/// 1 / (1 + e^-x).
#[derive(Clone, Copy, Debug, Default, Init, Parameters)]
pub struct Sigmoid;
impl<S: Shape, E: Float, T: Trace> Module<Tensor<S, E, T>> for Sigmoid {
    type Output = Tensor<S, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Tensor<S, E, T> {
        x.sigmoid()
    }
}
