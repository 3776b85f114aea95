//! Adding an operation to the tape.

use super::Trace;
use super::gradients::{AnyStorage, Table};
use super::tape::{Node, NodeId};
use crate::memory::Storage;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use std::rc::Rc;

/// Passes the gradient of a node on to its parents.
pub type Backward = Box<dyn FnOnce(AnyStorage, &mut Table)>;

/// Where an operation's backward pass puts the gradients of its `N` operands.
pub struct Parents<'a, const N: usize> {
    table: &'a mut Table,
    ids: [NodeId; N],
}

impl<const N: usize> Parents<'_, N> {
    /// Whether operand `index` wants a gradient. Work for one that does not is wasted.
    #[inline]
    pub fn needs(&self, index: usize) -> bool {
        self.ids[index] != NodeId::CONSTANT
    }

    /// Adds to the gradient of operand `index`.
    pub(crate) fn add<E: Float>(&mut self, index: usize, gradient: Storage<E>) {
        if self.needs(index) {
            self.table.add(self.ids[index], E::wrap(gradient));
        }
    }

    /// Lets `write` put the gradient of operand `index`, of `len` elements, where it belongs: it is given the buffer
    /// and whether it must add to what is there (`true`) or overwrite it (`false`).
    pub(crate) fn write<E: Float>(&mut self, index: usize, len: usize, write: impl FnOnce(&mut [E], bool)) {
        if self.needs(index) {
            self.table.write(self.ids[index], len, write);
        }
    }
}

/// Records an operation on `parents`, and gives the place of its result: `None` if no parent is traced.
///
/// `save` runs only if a gradient will be wanted; it is told of which parents, and gives the backward pass, which
/// takes the gradient of the result. What the backward pass captures is what the operation saves.
///
/// # Panics
/// If the parents are on different tapes, or their tape was used up.
#[track_caller]
#[inline]
pub(crate) fn record<const N: usize, E: Float, B>(
    parents: [Option<&Node>; N],
    save: impl FnOnce([bool; N]) -> B,
) -> Option<Node>
where
    B: FnOnce(Storage<E>, &mut Parents<'_, N>) + 'static,
{
    let tape = common_tape(&parents)?;
    let ids = parents.map(|parent| parent.map_or(NodeId::CONSTANT, |node| node.id));
    let needs = ids.map(|id| id != NodeId::CONSTANT);
    if !needs.contains(&true) {
        return Some(Node { tape: tape.clone(), id: NodeId::CONSTANT });
    }
    let backward = save(needs);
    let id = tape.add(Some(Box::new(move |gradient: AnyStorage, table: &mut Table| {
        backward(E::unwrap(gradient), &mut Parents { table, ids });
    })));
    Some(Node { tape: tape.clone(), id })
}

#[track_caller]
#[inline]
fn common_tape<'a, const N: usize>(parents: &[Option<&'a Node>; N]) -> Option<&'a Rc<super::tape::Shared>> {
    let mut tapes = parents.iter().flatten().map(|node| &node.tape);
    let first = tapes.next()?;
    if tapes.any(|tape| !Rc::ptr_eq(tape, first)) {
        panic!("the operands are on two different tapes: bring all values of a computation onto one");
    }
    Some(first)
}

/// An operation of your own, with its own backward pass.
///
/// `forward` is given the untraced value of `x` and gives the result and the backward pass, a closure from the
/// gradient of the result to the gradient of `x`. It captures what it needs of the forward pass. Check it with
/// [`check_gradients`](super::check_gradients).
///
/// For several operands, see [`Tensor::custom_with`].
///
/// ```
/// use taut::prelude::*;
///
/// /// x |x|, whose derivative is 2 |x|.
/// fn signed_square<S: Shape, T: Trace>(x: Tensor<S, f64, T>) -> Tensor<S, f64, T> {
///     custom(x, |x| {
///         let magnitude = x.clone().abs();
///         let y = x * magnitude.clone();
///         (y, move |gradient| gradient * magnitude * 2.0)
///     })
/// }
///
/// let x = Tensor::<_, f64>::of([-3.0, 0.5, 2.0]);
/// check_gradients(signed_square, x).unwrap();
/// ```
#[track_caller]
pub fn custom<S: Shape, E: Float, T: Trace, O: Shape, B>(
    x: Tensor<S, E, T>,
    forward: impl FnOnce(Tensor<S, E>) -> (Tensor<O, E>, B),
) -> Tensor<O, E, T>
where
    B: FnOnce(Tensor<O, E>) -> Tensor<S, E> + 'static,
{
    let (value, trace) = x.into_untraced();
    let (y, backward) = forward(value);
    let shape = y.shape();
    let node = record([trace.node()], |_| {
        move |gradient: Storage<E>, parents: &mut Parents<'_, 1>| {
            parents.add(0, backward(Tensor::from_storage(shape, gradient)).into_storage());
        }
    });
    y.with_trace(T::from_node(node))
}
