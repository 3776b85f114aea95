//! What all functions of two tensors of the same shape have in common. See [`unary`](super::unary).

use crate::kernels::elementwise::{Binary, BinaryLoops, Operands};
use crate::memory::Storage;
use crate::numbers::{Family, PerFloat};
use crate::shape::Shape;
use crate::shape::shapes_differ;
use crate::tape::{Node, record};
use crate::tensor::{Float, Tensor};
use crate::trace::{Merge, Merged, Parents, Trace};

/// The loops of one [`Binary`] function.
pub struct BinaryOp {
    pub name: &'static str,
    pub saves: bool,
    pub loops: PerFloat<BinaryOp>,
}

impl Family for BinaryOp {
    type Of<E: Float> = BinaryLoops<E>;
}

impl BinaryOp {
    pub const fn of<B: Binary>(name: &'static str) -> Self {
        let loops = PerFloat { f32: BinaryLoops::of::<B>(), f64: BinaryLoops::of::<B>() };
        BinaryOp { name, saves: B::SAVES, loops }
    }
}

/// Applies a function to each pair of elements.
///
/// # Panics
/// If run-time dimensions of the two disagree.
#[track_caller]
pub(crate) fn binary<S: Shape, E: Float, T: Trace + Merge<R>, R: Trace>(
    left: Tensor<S, E, T>,
    right: Tensor<S, E, R>,
    op: &'static BinaryOp,
) -> Tensor<S, E, Merged<T, R>> {
    if left.shape() != right.shape() {
        shapes_differ(op.name, left.shape(), right.shape());
    }
    let (shape, a, left) = left.into_parts();
    let (_, b, right) = right.into_parts();
    let (y, node) = binary_values(a, b, [left.node(), right.node()], op);
    Tensor::from_parts(shape, y, Merged::<T, R>::from_node(node))
}

/// [`binary`] without shapes: the elements of the result and its node on the tape.
#[track_caller]
pub(crate) fn binary_values<E: Float>(
    a: Storage<E>,
    b: Storage<E>,
    nodes: [Option<&Node>; 2],
    op: &'static BinaryOp,
) -> (Storage<E>, Option<Node>) {
    let wanted = nodes.iter().flatten().any(|node| node.needs_gradient());
    let saved = (op.saves && wanted).then(|| (a.clone(), b.clone()));
    let y = forward(a, b, op);
    let node = record(nodes, |_| {
        move |gradient: Storage<E>, parents: &mut Parents<'_, 2>| {
            let (a, b) = saved.as_ref().map_or((&[][..], &[][..]), |(a, b)| (a.as_slice(), b.as_slice()));
            let loops = E::pick(&op.loops);
            if parents.needs(0) {
                // if the right-hand side needs it too, the buffer is shared, and this one becomes a copy
                let keep = parents.needs(1).then(|| gradient.clone());
                let mut gradient = gradient;
                loops.left(gradient.make_mut(), a, b);
                parents.add(0, gradient);
                if let Some(mut gradient) = keep {
                    loops.right(gradient.make_mut(), a, b);
                    parents.add(1, gradient);
                }
            } else {
                let mut gradient = gradient;
                loops.right(gradient.make_mut(), a, b);
                parents.add(1, gradient);
            }
        }
    });
    (y, node)
}

fn forward<E: Float>(mut a: Storage<E>, mut b: Storage<E>, op: &BinaryOp) -> Storage<E> {
    let loops = E::pick(&op.loops);
    if a.is_unique() {
        loops.forward(Operands::LeftInPlace(b.as_slice()), a.make_mut());
        a
    } else if b.is_unique() {
        loops.forward(Operands::RightInPlace(a.as_slice()), b.make_mut());
        b
    } else {
        let mut y = Storage::scratch(a.len());
        loops.forward(Operands::Apart(a.as_slice(), b.as_slice()), y.make_mut());
        y
    }
}
