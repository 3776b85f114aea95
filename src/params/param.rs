//! What a model holds: parameters, which are trained, and buffers, which are not.

use super::parameters::Kind;
use super::{Leaf, LeafMut, ParameterPath, Parameters, Visitor, VisitorMut};
use crate::shape::Shape;
use crate::tape::{Node, Update, note_parameter};
use crate::tensor::{Element, Float, Tensor};
use crate::trace::{Place, Trace};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number unique among the parameters and buffers of the program.
fn fresh_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Relaxed)
}

/// A tensor that is trained and saved.
///
/// A clone (of it, or of a model) is a separate parameter: training one leaves the other unchanged. So target networks
/// and moving averages are clones.
pub struct Param<S, E = f32> {
    id: u64,
    value: Tensor<S, E>,
}

impl<S: Shape, E: Float> Param<S, E> {
    /// A parameter with this value.
    pub fn new(value: Tensor<S, E>) -> Self {
        Param { id: fresh_id(), value }
    }

    /// The value.
    pub fn value(&self) -> &Tensor<S, E> {
        &self.value
    }

    /// The value, for changing.
    pub fn value_mut(&mut self) -> &mut Tensor<S, E> {
        &mut self.value
    }

    /// The shape.
    pub fn shape(&self) -> S {
        self.value.shape()
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// This parameter as a tensor on the tape of `x`, where it gets a gradient; as a plain tensor if `x` is not
    /// traced. It is a constant while its module is [frozen](crate::nn::Frozen). The tape itself can be passed in place
    /// of a value.
    ///
    /// ```
    /// use taut::prelude::*;
    ///
    /// /// y = scale * x, with a scale for each feature
    /// #[derive(Parameters)]
    /// struct Scale<const N: usize>(Param<Rank1<N>>);
    ///
    /// impl<const N: usize, T: Trace> Module<Tensor<Rank1<N>, f32, T>> for Scale<N> {
    ///     type Output = Tensor<Rank1<N>, f32, T>;
    ///     fn apply(&self, x: Tensor<Rank1<N>, f32, T>) -> Self::Output {
    ///         self.0.on(&x) * x
    ///     }
    /// }
    ///
    /// let scale = Scale(Param::new(Tensor::from([1.0, 2.0])));
    /// let tape = Tape::inference();
    /// let gradients = scale.forward(tape.trace(Tensor::from([3.0, 4.0]))).sum().backward();
    /// assert_eq!(gradients.of(&scale.0).to_array(), [3.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn on<P: Place>(&self, x: &P) -> Tensor<S, E, P::Trace> {
        note_parameter(self.id, self.value.count());
        // a closure would hide the caller's line
        let mut node = None;
        if let Some(tape) = x.tape() {
            node = Some(Node { tape: tape.clone(), id: tape.join(self.id) });
        }
        self.value.clone().with_trace(P::Trace::from_node(node))
    }
}

impl<S: Shape, E: Float> Clone for Param<S, E> {
    fn clone(&self) -> Self {
        Param::new(self.value.clone())
    }
}

impl<S: Shape, E: Float> std::fmt::Debug for Param<S, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Param({:?})", self.value)
    }
}

impl<S: Shape, E: Float> std::fmt::Debug for Buffer<S, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({:?})", self.value)
    }
}

impl<S: Shape, E: Float> From<Tensor<S, E>> for Param<S, E> {
    fn from(value: Tensor<S, E>) -> Self {
        Param::new(value)
    }
}

impl<S: Shape, E: Float> Parameters for Param<S, E> {
    fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
        visit(&self.value, path.parameter_kind(), self.id, path, visitor);
    }
    fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
        visit_mut(&mut self.value, path.parameter_kind(), self.id, path, visitor);
    }
}

/// A tensor that is saved but not trained: running statistics.
pub struct Buffer<S, E = f32> {
    id: u64,
    value: Tensor<S, E>,
}

impl<S: Shape, E: Float> Buffer<S, E> {
    /// A buffer with this value.
    pub fn new(value: Tensor<S, E>) -> Self {
        Buffer { id: fresh_id(), value }
    }

    /// The value.
    pub fn value(&self) -> &Tensor<S, E> {
        &self.value
    }

    /// The value, for changing.
    pub fn value_mut(&mut self) -> &mut Tensor<S, E> {
        &mut self.value
    }

    /// The value on the tape of `x`, after the updates recorded there by [`update_on`](Buffer::update_on) and
    /// [`move_on`](Buffer::move_on).
    pub fn value_on<P: Place>(&self, x: &P) -> Tensor<S, E> {
        let mut value = self.value.clone();
        if let Some(tape) = x.tape() {
            let state = tape.state.borrow();
            state.updates.iter().filter(|update| update.buffer == self.id).for_each(|update| {
                update.apply(E::wrap(value.as_mut_slice()));
            });
        }
        value
    }

    /// This buffer as a constant on the tape of `x`, with its [value there](Buffer::value_on); as a plain tensor if `x`
    /// is not traced.
    pub fn on<P: Place>(&self, x: &P) -> Tensor<S, E, P::Trace> {
        self.value_on(x).on(x)
    }

    /// Records a new value on the tape of `x`. It leaves the tape with the gradients, and the optimizer's step applies
    /// it: the model itself does not change while it runs. Nothing happens if `x` is not traced, or while the module is
    /// [frozen](crate::nn::Frozen).
    ///
    /// Of gradients that are [added up](crate::trace::Gradients), the last value is applied.
    pub fn update_on<P: Place>(&self, x: &P, value: Tensor<S, E>) {
        self.note(x, 0.0, value);
    }

    /// Records that this running average moves by `rate` towards `batch`, r <- (1 - rate) r + rate batch, as
    /// [`update_on`](Buffer::update_on) records a value.
    ///
    /// Of gradients that are [added up](crate::trace::Gradients), each moves the average in turn, in the order in which
    /// they were added: as if the batches had been run one after the other.
    pub fn move_on<P: Place>(&self, x: &P, batch: Tensor<S, E>, rate: f64) {
        self.note(x, 1.0 - rate, batch * E::of(rate));
    }

    fn note<P: Place>(&self, x: &P, keep: f64, add: Tensor<S, E>) {
        if let Some(tape) = x.tape()
            && !tape.is_frozen()
        {
            let update = Update { buffer: self.id, keep, add: E::wrap(add.into_storage()) };
            tape.state.borrow_mut().updates.push(update);
        }
    }
}

impl<S: Shape, E: Float> Clone for Buffer<S, E> {
    fn clone(&self) -> Self {
        Buffer::new(self.value.clone())
    }
}

impl<S: Shape, E: Float> Parameters for Buffer<S, E> {
    fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
        visit(&self.value, Kind::Buffer, self.id, path, visitor);
    }
    fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
        visit_mut(&mut self.value, Kind::Buffer, self.id, path, visitor);
    }
}

impl<S: Shape, E: Float> Param<S, E> {
    /// [`visit`](Parameters::visit) with other sizes: for shapes that have fewer axes in files.
    pub(crate) fn visit_as(&self, sizes: &[usize], path: &ParameterPath, visitor: &mut dyn Visitor) {
        visit_sizes(&self.value, sizes, path.parameter_kind(), self.id, path, visitor);
    }

    /// [`visit_mut`](Parameters::visit_mut) with other sizes.
    pub(crate) fn visit_mut_as(&mut self, sizes: &[usize], path: &ParameterPath, visitor: &mut dyn VisitorMut) {
        let values = E::wrap(self.value.as_mut_slice());
        visitor.leaf(path.as_str(), LeafMut { kind: path.parameter_kind(), id: self.id, sizes, values });
    }
}

fn visit<S: Shape, E: Float>(
    value: &Tensor<S, E>,
    kind: Kind,
    id: u64,
    path: &ParameterPath,
    visitor: &mut dyn Visitor,
) {
    visit_sizes(value, value.shape().sizes().as_ref(), kind, id, path, visitor);
}

fn visit_sizes<S: Shape, E: Float>(
    value: &Tensor<S, E>,
    sizes: &[usize],
    kind: Kind,
    id: u64,
    path: &ParameterPath,
    visitor: &mut dyn Visitor,
) {
    let (values, storage) = (E::wrap(value.as_slice()), E::wrap(value.storage()));
    visitor.leaf(path.as_str(), Leaf { kind, id, sizes, values, storage });
}

fn visit_mut<S: Shape, E: Float>(
    value: &mut Tensor<S, E>,
    kind: Kind,
    id: u64,
    path: &ParameterPath,
    visitor: &mut dyn VisitorMut,
) {
    let sizes = value.shape().sizes();
    let values = E::wrap(value.as_mut_slice());
    visitor.leaf(path.as_str(), LeafMut { kind, id, sizes: sizes.as_ref(), values });
}

/// A constant in a model: neither trained nor saved.
impl<S: Shape, E: Element> Parameters for Tensor<S, E> {
    fn visit(&self, _: &mut ParameterPath, _: &mut dyn Visitor) {}
    fn visit_mut(&mut self, _: &mut ParameterPath, _: &mut dyn VisitorMut) {}
}

// Numbers in a model are constants too: a slope, a rate.
macro_rules! constants {
    ($($type:ty)*) => { $(
        impl Parameters for $type {
            fn visit(&self, _: &mut ParameterPath, _: &mut dyn Visitor) {}
            fn visit_mut(&mut self, _: &mut ParameterPath, _: &mut dyn VisitorMut) {}
        }
    )* };
}
constants! { f32 f64 usize bool }
