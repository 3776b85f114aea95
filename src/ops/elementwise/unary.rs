//! What all functions of one number have in common: forward, in place if the buffer is not shared; backward, in place
//! on the gradient.
//!
//! A function states its formula and its derivative side by side ([`Unary`]); a `static` [`UnaryOp`] holds its
//! loops, compiled here for f32 and f64.

use crate::kernels::elementwise::{Saves, Unary, UnaryLoops};
use crate::memory::Storage;
use crate::numbers::{Family, PerFloat};
use crate::shape::Shape;
use crate::tape::{Node, record};
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};

/// The loops of one [`Unary`] function.
pub struct UnaryOp {
    pub saves: Saves,
    pub loops: PerFloat<UnaryOp>,
}

impl Family for UnaryOp {
    type Of<E: Float> = UnaryLoops<E>;
}

impl UnaryOp {
    pub const fn of<U: Unary>() -> Self {
        let loops = PerFloat { f32: UnaryLoops::of::<U>(), f64: UnaryLoops::of::<U>() };
        UnaryOp { saves: U::SAVES, loops }
    }
}

/// Applies a function to each element.
#[track_caller]
pub(crate) fn unary<S: Shape, E: Float, T: Trace>(x: Tensor<S, E, T>, op: &'static UnaryOp) -> Tensor<S, E, T> {
    unary_with(x, op, [E::zero(); 2])
}

/// Applies a function with the parameters `p` to each element.
#[track_caller]
pub(crate) fn unary_with<S: Shape, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    op: &'static UnaryOp,
    p: [E; 2],
) -> Tensor<S, E, T> {
    let (shape, x, trace) = x.into_parts();
    let (y, node) = unary_values(x, trace.node(), op, p);
    Tensor::from_parts(shape, y, T::from_node(node))
}

/// [`unary_with`] without shapes: the elements of the result and its node on the tape.
#[track_caller]
pub(crate) fn unary_values<E: Float>(
    x: Storage<E>,
    node: Option<&Node>,
    op: &'static UnaryOp,
    p: [E; 2],
) -> (Storage<E>, Option<Node>) {
    // the clone that the tape keeps makes the buffer shared, so the result goes into a new one
    let saved_input = (op.saves == Saves::Input && node.is_some_and(|node| node.needs_gradient())).then(|| x.clone());
    let y = forward(x, op, p);
    let node = record([node], |_| {
        let saved = match op.saves {
            Saves::Input => saved_input,
            Saves::Output => Some(y.clone()),
            Saves::Nothing => None,
        };
        move |mut gradient: Storage<E>, parents: &mut Parents<'_, 1>| {
            let saved = saved.as_ref().map_or(&[][..], Storage::as_slice);
            E::pick(&op.loops).backward(saved, gradient.make_mut(), p);
            parents.add(0, gradient);
        }
    });
    (y, node)
}

fn forward<E: Float>(mut x: Storage<E>, op: &UnaryOp, p: [E; 2]) -> Storage<E> {
    let loops = E::pick(&op.loops);
    if x.is_unique() {
        loops.forward(None, x.make_mut(), p);
        return x;
    }
    let mut y = Storage::scratch(x.len());
    loops.forward(Some(x.as_slice()), y.make_mut(), p);
    y
}
