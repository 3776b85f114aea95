//! What all operations that only move elements have in common: slices, joins, flips, gathers, permutations.
//!
//! They work on labels and masks as well as on numbers, so they are written for every [`Element`]; only tensors of
//! floats have gradients, and [`record_movement`] records only those.
//!
//! If y_i = x_m(i), the gradient of each x_j is the sum of the gradients of all y_i with m(i) = j.

use crate::kernels::runs::Runs;
use crate::kernels::store::Store;
use crate::memory::Storage;
use crate::numbers::ByKind;
use crate::shape::{Axes, HasAxis, Shape};
use crate::tape::{Node, constant, record_each};
use crate::tensor::{Element, Float, Tensor};
use crate::trace::Trace;

/// How gradients move back.
pub trait MoveBack: 'static {
    /// Stores the gradient of operand number `operand` in `out`, given the gradient of the result.
    fn move_back<E: Float>(&self, operand: usize, gradient: &[E], out: &mut [E], store: Store);
}

/// [`Runs`] for each operand. (Their closures come from functions that know no shape types, so that the loops are
/// compiled once for all shapes.)
impl<P: Fn(usize) -> (usize, usize) + Sync + 'static> MoveBack for Vec<Runs<P>> {
    fn move_back<E: Float>(&self, operand: usize, gradient: &[E], out: &mut [E], store: Store) {
        store.clear(out);
        self[operand].add_back(gradient, out);
    }
}

/// A tensor of runs of the elements of `x`; elements of the result that no run covers are `background`. Without one,
/// the runs fill the result in order.
#[track_caller]
pub(crate) fn move_runs<S: Shape, O: Shape, E: Element, T: Trace, P: Fn(usize) -> (usize, usize) + Sync + 'static>(
    x: Tensor<S, E, T>,
    shape: O,
    background: Option<E>,
    runs: Runs<P>,
) -> Tensor<O, E, T> {
    let y = match background {
        Some(value) => {
            let mut y = Storage::filled(shape.count(), value);
            runs.copy(x.as_slice(), y.make_mut());
            y
        }
        None => {
            let mut y = Storage::scratch(shape.count());
            runs.fill(x.as_slice(), y.make_mut());
            y
        }
    };
    moved(x, shape, y, vec![runs])
}

/// The result `y` of moving the elements of `x`, recorded on its tape.
#[track_caller]
pub(crate) fn moved<S: Shape, O: Shape, E: Element, T: Trace>(
    x: Tensor<S, E, T>,
    shape: O,
    y: Storage<E>,
    back: impl MoveBack,
) -> Tensor<O, E, T> {
    let node = record_movement::<E>(&[(x.trace().node(), x.count())], back);
    Tensor::from_parts(shape, y, T::from_node(node))
}

/// An operand of a movement: its node on a tape, and its number of elements.
pub type Operand<'a> = (Option<&'a Node>, usize);

/// Records a movement: only for floats, since other elements have no gradients to move back.
#[track_caller]
pub(crate) fn record_movement<E: Element>(operands: &[Operand<'_>], back: impl MoveBack) -> Option<Node> {
    struct Record<'a, B>(&'a [Operand<'a>], B);
    impl<E: Element, B: MoveBack> ByKind<E> for Record<'_, B> {
        type Result = Option<Node>;
        fn float(self) -> Option<Node>
        where
            E: Float,
        {
            let Record(operands, back) = self;
            record_each::<E>(operands, move |operand, gradient, out, store| {
                back.move_back(operand, gradient, out, store);
            })
        }
        fn index(self) -> Option<Node> {
            constant(self.0.iter().filter_map(|operand| operand.0))
        }
        fn truth(self) -> Option<Node> {
            constant(self.0.iter().filter_map(|operand| operand.0))
        }
    }
    E::by_kind(Record(operands, back))
}

/// A shape seen as (before, the axis, after).
pub type Blocks = (usize, usize, usize);

/// The sizes before, of, and after axis `A`.
pub(crate) fn blocks<const A: usize, S: HasAxis<A>>(shape: S) -> Blocks {
    let sizes = shape.sizes();
    let sizes = sizes.as_ref();
    (sizes[..A].iter().product(), sizes[A], sizes[A + 1..].iter().product())
}

/// The axes of the list as runs of neighbours, the last run first. Each is given for the sizes that are left once the
/// later ones are reduced.
pub(crate) fn blocks_of<A: Axes>(sizes: &[usize]) -> Vec<Blocks> {
    let mut runs = Vec::new();
    let mut inner_kept = 1;
    let mut axis = sizes.len();
    while axis > 0 {
        if !A::AXES.contains(&(axis - 1)) {
            inner_kept *= sizes[axis - 1];
            axis -= 1;
            continue;
        }
        let mut middle = 1;
        while axis > 0 && A::AXES.contains(&(axis - 1)) {
            middle *= sizes[axis - 1];
            axis -= 1;
        }
        runs.push((sizes[..axis].iter().product(), middle, inner_kept));
    }
    runs
}
