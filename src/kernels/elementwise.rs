//! Loops over the elements of one or two arrays.

use super::parallel;
use super::vectorized;
use crate::tensor::Float;

/// A function of one number, with its derivative. See `ops/unary.rs`.
pub trait Unary: 'static {
    /// What the derivative is computed from.
    const SAVES: Saves;
    /// Above how many elements threads are worth it.
    const PARALLEL_ABOVE: usize = parallel::CHEAP;
    /// The function; `p` are parameters (a slope, limits) that few functions have.
    fn forward<E: Float>(x: E, p: [E; 2]) -> E;
    /// The derivative, from what [`Unary::SAVES`] says.
    fn derivative<E: Float>(saved: E, p: [E; 2]) -> E;
}

/// What the derivative of a [`Unary`] function is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saves {
    /// Its argument x.
    Input,
    /// Its value y.
    Output,
    /// Nothing: the derivative is constant.
    Nothing,
}

/// The loops of one [`Unary`] function for one element type.
pub struct UnaryLoops<E: 'static> {
    /// `out = f(x)`; without `x`, in place.
    pub forward: fn(Option<&[E]>, &mut [E], [E; 2]),
    /// `gradient *= f'(saved)`; `saved` is empty if nothing is saved.
    pub backward: fn(&[E], &mut [E], [E; 2]),
}

impl<E: Float> UnaryLoops<E> {
    pub const fn of<U: Unary>() -> Self {
        UnaryLoops { forward: unary_forward::<U, E>, backward: unary_backward::<U, E> }
    }
}

fn unary_forward<U: Unary, E: Float>(x: Option<&[E]>, out: &mut [E], p: [E; 2]) {
    vectorized! {
        fn part [U: Unary, E: Float] [U, E] (x: Option<&[E]>, out: &mut [E], p: [E; 2]) {
            match x {
                Some(x) => {
                    for (out, &x) in out.iter_mut().zip(x) {
                        *out = U::forward(x, p);
                    }
                }
                None => {
                    for x in out {
                        *x = U::forward(*x, p);
                    }
                }
            }
        }
    }
    parallel::parts(out, U::PARALLEL_ABOVE, |start, out| {
        part::<U, E>(x.map(|x| &x[start..start + out.len()]), out, p);
    });
}

fn unary_backward<U: Unary, E: Float>(saved: &[E], gradient: &mut [E], p: [E; 2]) {
    vectorized! {
        fn part [U: Unary, E: Float] [U, E] (saved: &[E], gradient: &mut [E], p: [E; 2]) {
            if let Saves::Nothing = U::SAVES {
                let derivative = U::derivative(E::zero(), p);
                for g in gradient {
                    *g *= derivative;
                }
            } else {
                for (g, &saved) in gradient.iter_mut().zip(saved) {
                    *g *= U::derivative(saved, p);
                }
            }
        }
    }
    parallel::parts(gradient, U::PARALLEL_ABOVE, |start, gradient| {
        let saved = if saved.is_empty() { saved } else { &saved[start..start + gradient.len()] };
        part::<U, E>(saved, gradient, p);
    });
}

/// A function of two numbers, with its derivatives. See `ops/binary.rs`.
pub trait Binary: 'static {
    /// Whether the derivatives need the operands.
    const SAVES: bool;
    /// Above how many elements threads are worth it.
    const PARALLEL_ABOVE: usize = parallel::CHEAP;
    /// The function.
    fn forward<E: Float>(a: E, b: E) -> E;
    /// The gradient of the left operand, `g * df/da`. If nothing is saved, a and b are 0.
    fn left<E: Float>(g: E, a: E, b: E) -> E;
    /// The gradient of the right operand, `g * df/db`.
    fn right<E: Float>(g: E, a: E, b: E) -> E;
}

/// Where the result of a binary loop goes, and where its operands are.
pub enum Operands<'a, E> {
    /// `out = f(a, b)`.
    Apart(&'a [E], &'a [E]),
    /// `out = f(out, b)`.
    LeftInPlace(&'a [E]),
    /// `out = f(a, out)`.
    RightInPlace(&'a [E]),
}

/// A loop that makes a gradient of the result that of one operand, in place.
type GradientLoop<E> = fn(&mut [E], &[E], &[E]);

/// The loops of one [`Binary`] function for one element type.
pub struct BinaryLoops<E: 'static> {
    pub forward: fn(Operands<'_, E>, &mut [E]),
    /// `gradient = left(gradient, a, b)`.
    pub left: GradientLoop<E>,
    /// `gradient = right(gradient, a, b)`.
    pub right: GradientLoop<E>,
}

impl<E: Float> BinaryLoops<E> {
    pub const fn of<B: Binary>() -> Self {
        BinaryLoops {
            forward: binary_forward::<B, E>,
            left: binary_backward::<B, E, true>,
            right: binary_backward::<B, E, false>,
        }
    }
}

fn binary_forward<B: Binary, E: Float>(operands: Operands<'_, E>, out: &mut [E]) {
    vectorized! {
        fn part [B: Binary, E: Float] [B, E] (operands: Operands<'_, E>, out: &mut [E]) {
            match operands {
                Operands::Apart(a, b) => {
                    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                        *out = B::forward(a, b);
                    }
                }
                Operands::LeftInPlace(b) => {
                    for (out, &b) in out.iter_mut().zip(b) {
                        *out = B::forward(*out, b);
                    }
                }
                Operands::RightInPlace(a) => {
                    for (out, &a) in out.iter_mut().zip(a) {
                        *out = B::forward(a, *out);
                    }
                }
            }
        }
    }
    parallel::parts(out, B::PARALLEL_ABOVE, |start, out| {
        let range = start..start + out.len();
        let operands = match &operands {
            Operands::Apart(a, b) => Operands::Apart(&a[range.clone()], &b[range]),
            Operands::LeftInPlace(b) => Operands::LeftInPlace(&b[range]),
            Operands::RightInPlace(a) => Operands::RightInPlace(&a[range]),
        };
        part::<B, E>(operands, out);
    });
}

fn binary_backward<B: Binary, E: Float, const LEFT: bool>(gradient: &mut [E], a: &[E], b: &[E]) {
    vectorized! {
        fn part [B: Binary, E: Float, const LEFT: bool] [B, E, LEFT] (gradient: &mut [E], a: &[E], b: &[E]) {
            if B::SAVES {
                for ((g, &a), &b) in gradient.iter_mut().zip(a).zip(b) {
                    *g = if LEFT { B::left(*g, a, b) } else { B::right(*g, a, b) };
                }
            } else {
                let zero = E::zero();
                for g in gradient {
                    *g = if LEFT { B::left(*g, zero, zero) } else { B::right(*g, zero, zero) };
                }
            }
        }
    }
    parallel::parts(gradient, B::PARALLEL_ABOVE, |start, gradient| {
        let range = if B::SAVES { start..start + gradient.len() } else { 0..0 };
        part::<B, E, LEFT>(gradient, &a[range.clone()], &b[range]);
    });
}

vectorized! {
    fn add_part [E: Float] [E] (sum: &mut [E], more: &[E]) {
        sum.iter_mut().zip(more).for_each(|(sum, &more)| *sum += more);
    }
}

/// `sum += more`.
pub fn add_assign<E: Float>(sum: &mut [E], more: &[E]) {
    assert_eq!(sum.len(), more.len());
    parallel::parts(sum, parallel::CHEAP, |start, sum| add_part(sum, &more[start..start + sum.len()]));
}

vectorized! {
    fn scale_part [E: Float] [E] (values: &mut [E], factor: E) {
        values.iter_mut().for_each(|value| *value *= factor);
    }
}

/// `values *= factor`.
pub fn scale<E: Float>(values: &mut [E], factor: E) {
    parallel::parts(values, parallel::CHEAP, |_, values| scale_part(values, factor));
}

vectorized! {
    fn add_row_part [E: Float] [E] (rows: &mut [E], row: &[E]) {
        for out in rows.chunks_exact_mut(row.len()) {
            out.iter_mut().zip(row).for_each(|(out, &x)| *out += x);
        }
    }
}

/// Adds `row` to each row: a bias to a batch.
pub fn add_row<E: Float>(rows: &mut [E], row: &[E]) {
    if !row.is_empty() {
        parallel::rows(rows, row.len(), parallel::CHEAP, |_, rows| add_row_part(rows, row));
    }
}
