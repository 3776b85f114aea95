//! What reductions over one axis, several or all have in common: maximum, variance, norm, and so on. Each defines how a
//! line of numbers becomes one number, and the gradient of each number in the line ([`Fold`]).
//!
//! Saved: x and y.

use crate::kernels::lines::{FoldBackward, FoldOp};
use crate::kernels::store::Store;
use crate::kernels::transpose;
use crate::memory::Storage;
use crate::ops::movement::moving::{Blocks, blocks_of};
use crate::shape::{Axes, Reduce, Shape, show};
use crate::tape::record;
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};

/// Where the lines of a reduction are.
struct Lines {
    blocks: Blocks,
    /// If the axes are not neighbours, the sizes of x and the order of its axes that brings them together at the end.
    order: Option<(Vec<usize>, Vec<usize>)>,
}

impl Lines {
    fn over<A: Axes>(sizes: &[usize]) -> Self {
        if let [blocks] = blocks_of::<A>(sizes)[..] {
            return Lines { blocks, order: None };
        }
        let kept = (0..sizes.len()).filter(|axis| !A::AXES.contains(axis));
        let order: Vec<usize> = kept.chain(A::AXES.iter().copied()).collect();
        let terms: usize = A::AXES.iter().map(|&axis| sizes[axis]).product();
        let results = sizes.iter().enumerate().filter(|(axis, _)| !A::AXES.contains(axis)).map(|(_, &size)| size);
        Lines { blocks: (results.product(), terms, 1), order: Some((sizes.to_vec(), order)) }
    }

    /// The elements in an order in which the lines are as `blocks` says.
    fn bring_together<E: Float>(&self, x: Storage<E>) -> Storage<E> {
        let Some((sizes, order)) = &self.order else { return x };
        let mut together = Storage::scratch(x.len());
        transpose::permute(x.as_slice(), sizes, order, together.make_mut());
        together
    }

    /// The reverse of [`Lines::bring_together`].
    fn put_back<E: Float>(&self, gradient: &[E], out: &mut [E]) {
        let Some((sizes, order)) = &self.order else { return out.copy_from_slice(gradient) };
        let mut inverse = vec![0; order.len()];
        order.iter().enumerate().for_each(|(new, &old)| inverse[old] = new);
        let together: Vec<usize> = order.iter().map(|&axis| sizes[axis]).collect();
        transpose::permute(gradient, &together, &inverse, out);
    }
}

#[track_caller]
fn fold<S: Shape, O: Shape, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    shape: O,
    lines: Lines,
    op: &'static FoldOp,
    p: E,
) -> Tensor<O, E, T> {
    let (_, x, trace) = x.into_parts();
    let (x, y) = forward(x, &lines, op, p);
    let node = record([trace.node()], |_| {
        let y = y.clone();
        move |g: Storage<E>, parents: &mut Parents<'_, 1>| backward(x, y, g, &lines, op, p, parents)
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}

fn forward<E: Float>(x: Storage<E>, lines: &Lines, op: &FoldOp, p: E) -> (Storage<E>, Storage<E>) {
    let x = lines.bring_together(x);
    let (outer, _, inner) = lines.blocks;
    let mut y = Storage::scratch(outer * inner);
    E::pick(op).forward(x.as_slice(), lines.blocks, y.make_mut(), p);
    (x, y)
}

fn backward<E: Float>(
    x: Storage<E>,
    y: Storage<E>,
    g: Storage<E>,
    lines: &Lines,
    op: &FoldOp,
    p: E,
    parents: &mut Parents<'_, 1>,
) {
    let inputs = |store| FoldBackward { x: x.as_slice(), y: y.as_slice(), gradient: g.as_slice(), store };
    if lines.order.is_none() {
        parents.write(0, x.len(), |out, store| E::pick(op).backward(inputs(store), lines.blocks, out, p));
        return;
    }
    let mut together = Storage::scratch(x.len());
    E::pick(op).backward(inputs(Store::Overwrite), lines.blocks, together.make_mut(), p);
    let mut gradient = Storage::scratch(x.len());
    lines.put_back(together.as_slice(), gradient.make_mut());
    parents.add(0, gradient);
}

/// Panics if there are results, but no elements to pick them from (each is one of `terms` elements): the rule for all
/// operations that pick an element.
#[track_caller]
pub(super) fn expect_elements(operation: &str, shape: impl Shape, terms: usize, results: usize) {
    if terms == 0 && results > 0 {
        panic!("{operation}: there is nothing along the axis, the shape is {}", show(shape));
    }
}

/// The reduction of all elements.
#[track_caller]
pub(crate) fn fold_all<S: Shape, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    op: &'static FoldOp,
    p: E,
) -> Tensor<(), E, T> {
    let lines = Lines { blocks: (1, x.count(), 1), order: None };
    fold(x, (), lines, op, p)
}

/// The reduction over the axes `A`.
#[track_caller]
pub(crate) fn fold_axes<A: Axes, S: Reduce<A>, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    op: &'static FoldOp,
    p: E,
) -> Tensor<S::Reduced, E, T> {
    let lines = Lines::over::<A>(x.shape().sizes().as_ref());
    let shape = x.shape().reduced();
    fold(x, shape, lines, op, p)
}
