//! Gradients: while `backward` runs (a table by node), and after it (by parameter).

use super::rows::Rows;
use super::tape::NodeId;
use super::{Mode, Trace, Traced};
use crate::kernels::elementwise;
use crate::kernels::reduce;
use crate::memory::Storage;
use crate::nn::{Kind, Leaf, Param, Parameters, Values, ValuesMut, each_parameter};
use crate::numbers::{AnyFloat, Family};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};

/// A buffer of one of the types that have gradients.
pub type AnyStorage = AnyFloat<Storages>;
pub struct Storages;
impl Family for Storages {
    type Of<E: Float> = Storage<E>;
}

impl AnyStorage {
    /// The buffer, where the type of its elements is known.
    pub fn of<E: Float>(self) -> Storage<E> {
        E::unwrap(self).unwrap_or_else(|| unreachable!("a value has one element type"))
    }

    fn add(&mut self, other: AnyStorage) {
        match (self, other) {
            (AnyStorage::F32(sum), AnyStorage::F32(more)) => add_into(sum, more),
            (AnyStorage::F64(sum), AnyStorage::F64(more)) => add_into(sum, more),
            _ => unreachable!("a value has one element type"),
        }
    }

    fn scale(&mut self, factor: f64) {
        match self {
            AnyStorage::F32(values) => elementwise::scale(values.make_mut(), factor as f32),
            AnyStorage::F64(values) => elementwise::scale(values.make_mut(), factor),
        }
    }

    fn sum_of_squares(&self) -> f64 {
        match self {
            AnyStorage::F32(values) => reduce::sum_of_squares(values.as_slice()),
            AnyStorage::F64(values) => reduce::sum_of_squares(values.as_slice()),
        }
    }

    fn clamp(&mut self, limit: f64) {
        match self {
            AnyStorage::F32(values) => {
                let limit = limit as f32;
                values.make_mut().iter_mut().for_each(|x| *x = x.clamp(-limit, limit));
            }
            AnyStorage::F64(values) => values.make_mut().iter_mut().for_each(|x| *x = x.clamp(-limit, limit)),
        }
    }

    pub fn is_finite(&self) -> bool {
        match self {
            AnyStorage::F32(values) => values.as_slice().iter().all(|x| x.is_finite()),
            AnyStorage::F64(values) => values.as_slice().iter().all(|x| x.is_finite()),
        }
    }
}

fn add_into<E: Float>(sum: &mut Storage<E>, more: Storage<E>) {
    // write into whichever of the two nobody else shares
    if sum.is_unique() || !more.is_unique() {
        elementwise::add_assign(sum.make_mut(), more.as_slice());
    } else {
        let old = std::mem::replace(sum, more);
        elementwise::add_assign(sum.make_mut(), old.as_slice());
    }
}

/// The gradient of a node.
#[derive(Clone)]
pub enum Gradient {
    /// Of all its elements.
    Whole(AnyStorage),
    /// Of some rows of a table.
    Rows(Rows),
}

impl Gradient {
    /// The gradient of all elements.
    pub fn whole(self) -> AnyStorage {
        match self {
            Gradient::Whole(values) => values,
            Gradient::Rows(rows) => rows.whole(),
        }
    }

    fn add(&mut self, more: Gradient) {
        match (&mut *self, more) {
            (Gradient::Whole(sum), Gradient::Whole(more)) => sum.add(more),
            (Gradient::Whole(sum), Gradient::Rows(rows)) => rows.add_to(sum),
            (Gradient::Rows(rows), Gradient::Whole(mut sum)) => {
                rows.add_to(&mut sum);
                *self = Gradient::Whole(sum);
            }
            (Gradient::Rows(rows), Gradient::Rows(more)) => *rows = rows.clone().merge(more),
        }
    }

    /// The numbers that are there; all others are zero.
    fn values(&self) -> &AnyStorage {
        match self {
            Gradient::Whole(values) => values,
            Gradient::Rows(rows) => &rows.values,
        }
    }

    fn values_mut(&mut self) -> &mut AnyStorage {
        match self {
            Gradient::Whole(values) => values,
            Gradient::Rows(rows) => &mut rows.values,
        }
    }
}

/// The gradients of nodes, while `backward` walks the tape.
pub struct Table {
    nodes: Vec<Option<Gradient>>,
    /// What is wrong with a backward pass that the user wrote.
    pub wrong: Option<String>,
}

impl Table {
    pub fn new(nodes: usize) -> Self {
        Table { nodes: (0..nodes).map(|_| None).collect(), wrong: None }
    }

    pub fn take(&mut self, node: NodeId) -> Option<Gradient> {
        self.nodes.get_mut(node.index())?.take()
    }

    pub fn take_at(&mut self, index: usize) -> Option<AnyStorage> {
        self.nodes[index].take().map(Gradient::whole)
    }

    pub fn add(&mut self, node: NodeId, gradient: Gradient) {
        match &mut self.nodes[node.index()] {
            Some(sum) => sum.add(gradient),
            empty => *empty = Some(gradient),
        }
    }

    /// Lets `write` overwrite a new buffer of `len` elements (`false`), or add to the one that is there (`true`).
    #[inline]
    pub fn write<E: Float>(&mut self, node: NodeId, len: usize, write: impl FnOnce(&mut [E], bool)) {
        let (mut storage, add) = self.take_buffer(node, len);
        write(storage.make_mut(), add);
        self.put_buffer(node, storage);
    }

    // what is around `write` is compiled once for each type of element, and not for each operation
    fn take_buffer<E: Float>(&mut self, node: NodeId, len: usize) -> (Storage<E>, bool) {
        match self.nodes[node.index()].take() {
            Some(there) => (there.whole().of(), true),
            None => (Storage::scratch(len), false),
        }
    }

    fn put_buffer<E: Float>(&mut self, node: NodeId, storage: Storage<E>) {
        self.nodes[node.index()] = Some(Gradient::Whole(E::wrap(storage)));
    }

    pub fn is_set(&self, index: usize) -> bool {
        self.nodes[index].is_some()
    }
}

/// How a buffer changes, noted by a layer during the forward pass: r <- keep r + add.
#[derive(Clone)]
pub struct Update {
    /// The buffer's id.
    pub buffer: u64,
    pub keep: f64,
    pub add: AnyStorage,
}

impl Update {
    pub fn apply(&self, values: ValuesMut<'_>) {
        fn apply<E: Float>(values: &mut [E], keep: f64, add: &[E]) {
            if keep == 0.0 {
                values.copy_from_slice(add);
            } else {
                values.iter_mut().zip(add).for_each(|(r, &add)| *r = E::of(keep) * *r + add);
            }
        }
        match (values, &self.add) {
            (ValuesMut::F32(values), AnyStorage::F32(add)) => apply(values, self.keep, add.as_slice()),
            (ValuesMut::F64(values), AnyStorage::F64(add)) => apply(values, self.keep, add.as_slice()),
            _ => unreachable!("a buffer has one element type"),
        }
    }

    /// This change, and `next` after it.
    fn then(&mut self, next: &Update) {
        next.apply(match &mut self.add {
            AnyStorage::F32(add) => ValuesMut::F32(add.make_mut()),
            AnyStorage::F64(add) => ValuesMut::F64(add.make_mut()),
        });
        self.keep *= next.keep;
    }

    /// Puts `next` after the changes in `updates`, of which each buffer has one.
    fn append(updates: &mut Vec<Update>, next: Update) {
        match updates.iter_mut().find(|update| update.buffer == next.buffer) {
            Some(update) => update.then(&next),
            None => updates.push(next),
        }
    }
}

/// What a backward pass found: a gradient for each parameter and each watched input, and new running statistics.
///
/// Gradients of several passes over one model add up (`a + b`, `+=`), also from several threads. They scale
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

impl Gradients {
    pub(super) fn new(
        tape: u64,
        mut parameters: Vec<(u64, Gradient)>,
        mut inputs: Vec<(NodeId, AnyStorage)>,
        noted: Vec<Update>,
    ) -> Self {
        parameters.sort_unstable_by_key(|entry| entry.0);
        inputs.sort_unstable_by_key(|entry| entry.0);
        let mut updates = Vec::new();
        noted.into_iter().for_each(|update| Update::append(&mut updates, update));
        Gradients { tape, parameters, inputs, updates }
    }

    pub(crate) fn find(&self, parameter: u64) -> Option<&Gradient> {
        let place = self.parameters.binary_search_by_key(&parameter, |entry| entry.0).ok()?;
        Some(&self.parameters[place].1)
    }

    /// How many parameters have a gradient.
    pub(crate) fn count(&self) -> usize {
        self.parameters.len()
    }

    /// How a buffer changes.
    pub(crate) fn update(&self, buffer: u64) -> Option<&Update> {
        self.updates.iter().find(|update| update.buffer == buffer)
    }

    /// The gradient of a parameter: zeros if the loss did not depend on it.
    pub fn of<S: Shape, E: Float>(&self, parameter: &Param<S, E>) -> Tensor<S, E> {
        self.try_of(parameter).unwrap_or_else(|| Tensor::zeros_with(parameter.shape()))
    }

    /// The gradient of a parameter, or `None` if the loss did not depend on it.
    pub fn try_of<S: Shape, E: Float>(&self, parameter: &Param<S, E>) -> Option<Tensor<S, E>> {
        let gradient = self.find(parameter.id())?.clone().whole().of();
        Some(Tensor::from_storage(parameter.shape(), gradient))
    }

    /// The gradient of an input that was [watched](super::Tape::watch), or of a value in the midst of the computation
    /// that [was](Tensor::watch): zeros if the loss did not depend on it.
    ///
    /// # Panics
    /// If `input` was not watched, or is on another tape than these gradients come from.
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
        self.parameters.iter().map(|entry| entry.1.values().sum_of_squares()).sum::<f64>().sqrt()
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
        let mut squares = 0.0;
        each_parameter(part, &mut |_, leaf| {
            squares += self.find(leaf.id).map_or(0.0, |gradient| gradient.values().sum_of_squares());
        });
        squares.sqrt()
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
                let squares = self.find(leaf.id).map_or(0.0, |gradient| gradient.values().sum_of_squares());
                norms.push((name.to_string(), squares.sqrt()));
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

    /// Scales the gradients of all parameters so that their [norm](Gradients::norm) is at most `limit`, and gives the
    /// norm that they had: g <- g min(1, limit / |g|). Pascanu, Mikolov and Bengio, "On the difficulty of training
    /// recurrent neural networks", 2013.
    ///
    /// A norm that is infinite or not a number is left as it is, for the caller to see in the result.
    ///
    /// # Panics
    /// If the limit is negative or no number.
    #[doc(alias = "clip_grad_norm_")]
    #[track_caller]
    pub fn clip_norm(&mut self, limit: f64) -> f64 {
        crate::range::expect(crate::range::limit("clip_norm", "limit", limit));
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
    /// If the limit is negative or no number.
    #[doc(alias = "clip_grad_value_")]
    #[track_caller]
    pub fn clip_value(&mut self, limit: f64) {
        crate::range::expect(crate::range::limit("clip_value", "limit", limit));
        self.parameters_mut().for_each(|gradient| gradient.clamp(limit));
    }

    /// Multiplies the gradients of all parameters and inputs.
    pub fn scale(&mut self, factor: f64) {
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
        other.updates.into_iter().for_each(|update| Update::append(&mut self.updates, update));
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
        let none = || Gradients::new(u64::MAX, Vec::new(), Vec::new(), Vec::new());
        gradients.reduce(|a, b| a + b).unwrap_or_else(none)
    }
}

impl std::fmt::Debug for Gradients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gradients {{ parameters: {}, inputs: {} }}", self.parameters.len(), self.inputs.len())
    }
}
