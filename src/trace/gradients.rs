//! Gradients: while `backward` runs (a table by node), and after it (by parameter).

use super::rows::Rows;
use super::tape::NodeId;
use super::{Mode, Trace, Traced};
use crate::kernels::elementwise;
use crate::kernels::reduce;
use crate::memory::Storage;
use crate::nn::Param;
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
pub struct Table(Vec<Option<Gradient>>);

impl Table {
    pub fn new(nodes: usize) -> Self {
        Table((0..nodes).map(|_| None).collect())
    }

    pub fn take(&mut self, node: NodeId) -> Option<Gradient> {
        self.0.get_mut(node.index())?.take()
    }

    pub fn take_at(&mut self, index: usize) -> Option<AnyStorage> {
        self.0[index].take().map(Gradient::whole)
    }

    pub fn add(&mut self, node: NodeId, gradient: Gradient) {
        match &mut self.0[node.index()] {
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
        match self.0[node.index()].take() {
            Some(there) => (there.whole().of(), true),
            None => (Storage::scratch(len), false),
        }
    }

    fn put_buffer<E: Float>(&mut self, node: NodeId, storage: Storage<E>) {
        self.0[node.index()] = Some(Gradient::Whole(E::wrap(storage)));
    }

    pub fn is_set(&self, index: usize) -> bool {
        self.0[index].is_some()
    }
}

/// The new value of a buffer that a layer noted during the forward pass, and how many passes were added up.
#[derive(Clone)]
struct Update {
    buffer: u64,
    sum: AnyStorage,
    passes: usize,
}

/// What a backward pass found: a gradient for each parameter and each watched input, and new running statistics.
///
/// Gradients of several passes over one model add up (`a + b`, `+=`), also from several threads. They scale
/// (`g * 0.5`) and are clipped here before they go to the optimizer.
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
        updates: Vec<(u64, AnyStorage)>,
    ) -> Self {
        parameters.sort_unstable_by_key(|entry| entry.0);
        inputs.sort_unstable_by_key(|entry| entry.0);
        let updates = updates.into_iter().map(|(buffer, sum)| Update { buffer, sum, passes: 1 }).collect();
        Gradients { tape, parameters, inputs, updates }
    }

    pub(crate) fn find(&self, parameter: u64) -> Option<&Gradient> {
        let place = self.parameters.binary_search_by_key(&parameter, |entry| entry.0).ok()?;
        Some(&self.parameters[place].1)
    }

    /// The new value of a buffer; the mean over the passes that were added up.
    pub(crate) fn update(&self, buffer: u64) -> Option<AnyStorage> {
        let update = self.updates.iter().rfind(|update| update.buffer == buffer)?;
        let mut value = update.sum.clone();
        if update.passes > 1 {
            value.scale(1.0 / update.passes as f64);
        }
        Some(value)
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

    /// The gradient of an input that was [watched](super::Tape::watch): zeros if the loss did not depend on it.
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
            panic!("`of_input`: this tensor was not brought onto the tape with `watch`");
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

    /// Scales the gradients of all parameters so that their [norm](Gradients::norm) is at most `limit`, and gives the
    /// norm that they had: g <- g min(1, limit / |g|). Pascanu, Mikolov and Bengio, "On the difficulty of training
    /// recurrent neural networks", 2013.
    ///
    /// A norm that is infinite or not a number is left as it is, for the caller to see in the result.
    #[doc(alias = "clip_grad_norm_")]
    pub fn clip_norm(&mut self, limit: f64) -> f64 {
        let norm = self.norm();
        if norm.is_finite() && norm > limit {
            // 1e-6 as in PyTorch's `clip_grad_norm_`
            let factor = limit / (norm + 1e-6);
            self.parameters_mut().for_each(|gradient| gradient.scale(factor));
        }
        norm
    }

    /// Clips every number in the gradients of all parameters to `-limit ..= limit`.
    #[doc(alias = "clip_grad_value_")]
    pub fn clip_value(&mut self, limit: f64) {
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
        for update in other.updates {
            match self.updates.iter_mut().find(|mine| mine.buffer == update.buffer) {
                Some(mine) => {
                    mine.sum.add(update.sum);
                    mine.passes += update.passes;
                }
                None => self.updates.push(update),
            }
        }
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
    /// The sum of the gradients of several passes.
    ///
    /// # Panics
    /// If there is none.
    fn sum<I: Iterator<Item = Self>>(gradients: I) -> Self {
        gradients.reduce(|a, b| a + b).expect("gradients of at least one pass")
    }
}

impl std::fmt::Debug for Gradients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gradients {{ parameters: {}, inputs: {} }}", self.parameters.len(), self.inputs.len())
    }
}
