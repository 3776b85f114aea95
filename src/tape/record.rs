//! Adding an operation to the tape.

use super::any_storage::AnyStorage;
use super::gradient::{Gradient, Table};
use super::id::NodeId;
use super::nodes::{Node, Shared};
use super::rows::Rows;
use crate::kernels::store::Store;
use crate::memory::Storage;
use crate::numbers::Float;
use std::fmt;
use std::rc::Rc;

/// Where an operation's backward pass puts the gradients of its `N` operands.
pub struct Parents<'a, const N: usize> {
    table: &'a mut Table,
    ids: [NodeId; N],
}

impl<const N: usize> fmt::Debug for Parents<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parents {{ entries: {:?} }}", self.ids)
    }
}

impl<const N: usize> Parents<'_, N> {
    /// Whether operand `index` needs a gradient. Work for one that does not is wasted.
    #[inline]
    pub fn needs(&self, index: usize) -> bool {
        self.ids[index] != NodeId::CONSTANT
    }

    /// Reports an error in a user's backward pass: `backward` panics with it at its caller's line.
    pub(crate) fn refuse(&mut self, wrong: String) {
        self.table.wrong = Some(wrong);
    }

    /// Adds to the gradient of operand `index`.
    pub(crate) fn add<E: Float>(&mut self, index: usize, gradient: Storage<E>) {
        if self.needs(index) {
            self.table.add(self.ids[index], Gradient::Whole(E::wrap(gradient)));
        }
    }

    /// Adds to the gradient of some rows of operand `index`, a table.
    pub(crate) fn add_rows(&mut self, index: usize, rows: Rows) {
        if self.needs(index) {
            self.table.add(self.ids[index], Gradient::Rows(rows));
        }
    }

    /// Lets `write` put the gradient of operand `index`, of `len` elements, where it belongs: it is given the buffer,
    /// and whether it overwrites or adds to what is there.
    pub(crate) fn write<E: Float>(&mut self, index: usize, len: usize, write: impl FnOnce(&mut [E], Store)) {
        if self.needs(index) {
            self.table.write(self.ids[index], len, write);
        }
    }
}

/// Records an operation on `parents`, and returns the place of its result: `None` if no parent is traced.
///
/// `save` runs only if a gradient is needed; it is told for which parents, and returns the backward pass, which
/// takes the gradient of the result. What the backward pass captures is what the operation saves.
///
/// # Panics
/// If the parents are on different tapes, or their tape was used up.
#[track_caller]
#[inline]
pub fn record<const N: usize, E: Float, B>(
    parents: [Option<&Node>; N],
    save: impl FnOnce([bool; N]) -> B,
) -> Option<Node>
where
    B: FnOnce(Storage<E>, &mut Parents<'_, N>) + 'static,
{
    let tape = common_tape(&mut parents.iter().copied().flatten())?;
    let (ids, needs) = wanted(&parents);
    if !needs.contains(&true) {
        return Some(Node { tape: tape.clone(), id: NodeId::CONSTANT });
    }
    let backward = save(needs);
    let id = tape.add(Some(Box::new(move |gradient: AnyStorage, table: &mut Table| {
        backward(gradient.of(), &mut Parents { table, ids });
    })));
    Some(Node { tape: tape.clone(), id })
}

/// Records an operation of any number of operands, each given by its node and its number of elements.
///
/// `backward(operand, gradient, out, store)` is called for each operand that wants a gradient; it overwrites `out` with
/// it, or adds it, as it is told.
#[track_caller]
pub fn record_each<E: Float>(
    operands: &[(Option<&Node>, usize)],
    backward: impl Fn(usize, &[E], &mut [E], Store) + 'static,
) -> Option<Node> {
    let tape = common_tape(&mut operands.iter().filter_map(|operand| operand.0))?;
    let wanted = |(operand, &(node, len)): (usize, &(Option<&Node>, usize))| {
        node.filter(|node| node.needs_gradient()).map(|node| (operand, node.id, len))
    };
    let wanted: Vec<_> = operands.iter().enumerate().filter_map(wanted).collect();
    if wanted.is_empty() {
        return Some(Node { tape: tape.clone(), id: NodeId::CONSTANT });
    }
    let id = tape.add(Some(Box::new(move |gradient: AnyStorage, table: &mut Table| {
        let gradient = gradient.of::<E>();
        for (operand, id, len) in wanted {
            table.write(id, len, |out, store| backward(operand, gradient.as_slice(), out, store));
        }
    })));
    Some(Node { tape: tape.clone(), id })
}

/// The place of a result that has no gradient: `None` if no operand is traced.
///
/// # Panics
/// If the operands are on different tapes.
#[track_caller]
pub fn constant<'a>(mut operands: impl Iterator<Item = &'a Node>) -> Option<Node> {
    Some(Node { tape: common_tape(&mut operands)?.clone(), id: NodeId::CONSTANT })
}

/// The ids of the parents, and which of them want a gradient.
#[inline]
fn wanted<const N: usize>(parents: &[Option<&Node>; N]) -> ([NodeId; N], [bool; N]) {
    let (mut ids, mut needs) = ([NodeId::CONSTANT; N], [false; N]);
    for (i, node) in parents.iter().enumerate() {
        if let Some(node) = node {
            ids[i] = node.id;
            needs[i] = node.needs_gradient();
        }
    }
    (ids, needs)
}

#[track_caller]
fn common_tape<'a>(operands: &mut dyn Iterator<Item = &'a Node>) -> Option<&'a Rc<Shared>> {
    let mut tapes = operands.map(|node| &node.tape);
    let first = tapes.next()?;
    if tapes.any(|tape| !Rc::ptr_eq(tape, first)) {
        panic!("the operands are on two different tapes: bring all values of a computation onto one");
    }
    Some(first)
}
