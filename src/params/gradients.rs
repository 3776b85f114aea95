//! The gradients of parameters, by parameter and by name.

use super::{Kind, Leaf, Param, Parameters, each_parameter};
use crate::numbers::Values;
use crate::shape::Shape;
use crate::tape::AnyStorage;
use crate::tensor::{Float, Tensor};
use crate::trace::Gradients;

impl Gradients {
    /// The gradient of a parameter: zeros if the loss did not depend on it.
    pub fn of<S: Shape, E: Float>(&self, parameter: &Param<S, E>) -> Tensor<S, E> {
        self.try_of(parameter).unwrap_or_else(|| Tensor::zeros_with(parameter.shape()))
    }

    /// The gradient of a parameter, or `None` if the loss did not depend on it.
    pub fn try_of<S: Shape, E: Float>(&self, parameter: &Param<S, E>) -> Option<Tensor<S, E>> {
        let gradient = self.find(parameter.id())?.clone().whole().of();
        Some(Tensor::from_storage(parameter.shape(), gradient))
    }

    /// The Euclidean norm of the gradients of the parameters in a part of the model: a layer, or one parameter.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let model = <(Linear<2, 3>, Relu, Linear<3, 1>)>::init(&mut StdRng::seed_from_u64(0));
    /// let x = Tape::inference().trace(Tensor::from([3.0, 4.0]));
    /// let gradients = model.forward(x).sum().backward();
    /// let of_layers = [gradients.norm_of(&model.0), gradients.norm_of(&model.2)];
    /// assert!((gradients.norm() - of_layers[0].hypot(of_layers[1])).abs() < 1e-6);
    /// ```
    pub fn norm_of<P: Parameters>(&self, part: &P) -> f64 {
        let mut norm = 0.0_f64;
        each_parameter(part, &mut |_, leaf| {
            norm = norm.hypot(self.find(leaf.id).map_or(0.0, |gradient| gradient.values().norm()));
        });
        norm
    }

    /// Calls `f` with the name of every trained parameter of `model`, the parameter, and its gradient: `None` if the
    /// loss did not depend on it.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let model = <(Linear<2, 1>, Linear<1, 1>)>::init(&mut StdRng::seed_from_u64(0));
    /// let x = Tape::inference().trace(Tensor::from([3.0, 4.0]));
    /// let gradients = model.0.forward(x).sum().backward(); // the second layer is left out
    /// let mut lines = Vec::new();
    /// gradients.for_each(&model, |name, _, gradient| lines.push(format!("{name} {gradient:?}")));
    /// assert_eq!(lines, ["0.weight Some([3.0, 4.0])", "0.bias Some([1.0])", "1.weight None", "1.bias None"]);
    /// ```
    #[doc(alias = "named_parameters")]
    pub fn for_each<M: Parameters, F>(&self, model: &M, mut f: F)
    where
        F: FnMut(&str, Leaf<'_>, Option<Values<'_>>),
    {
        each_parameter(model, &mut |name, leaf| {
            if leaf.kind == Kind::Parameter {
                match self.find(leaf.id).map(|gradient| gradient.clone().whole()) {
                    Some(AnyStorage::F32(values)) => f(name, leaf, Some(Values::F32(values.as_slice()))),
                    Some(AnyStorage::F64(values)) => f(name, leaf, Some(Values::F64(values.as_slice()))),
                    None => f(name, leaf, None),
                }
            }
        });
    }

    /// The name of every trained parameter of `model`, and the Euclidean norm of its gradient: 0 if the loss did not
    /// depend on it.
    pub fn norms<M: Parameters>(&self, model: &M) -> Vec<(String, f64)> {
        let mut norms = Vec::new();
        each_parameter(model, &mut |name, leaf| {
            if leaf.kind == Kind::Parameter {
                let norm = self.find(leaf.id).map_or(0.0, |gradient| gradient.values().norm());
                norms.push((name.to_string(), norm));
            }
        });
        norms
    }

    /// The names of the trained parameters of `model` that have no gradient here: the loss did not depend on them, and
    /// a step leaves them as they are.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let model = <(Linear<2, 1>, Linear<1, 1>)>::init(&mut StdRng::seed_from_u64(0));
    /// let x = Tape::inference().trace(Tensor::from([3.0, 4.0]));
    /// let gradients = model.0.forward(x).sum().backward();
    /// assert_eq!(gradients.unreached(&model), ["1.weight", "1.bias"]);
    /// ```
    pub fn unreached<M: Parameters>(&self, model: &M) -> Vec<String> {
        let mut names = Vec::new();
        each_parameter(model, &mut |name, leaf| {
            if leaf.kind == Kind::Parameter && self.find(leaf.id).is_none() {
                names.push(name.to_string());
            }
        });
        names
    }
}
