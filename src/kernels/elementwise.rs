//! Loops over the elements of one or two arrays.

use super::parallel;
use super::vectorized;
use super::vectorized::wide_pays;
use crate::numbers::{Family, Float, PerFloat};

/// A function of one number, with its derivative. See `ops/unary.rs`.
pub trait Unary: 'static {
    /// What the derivative is computed from.
    const SAVES: Saves;
    /// Whether a derivative of 0 lets nothing pass, not even a gradient that is infinite or NaN: for functions of
    /// pieces, one of which is constant.
    const MASKS: bool = false;
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

/// How many elements are copied at once where a loop that works in place shall not: few enough to stay in cache.
const BLOCK: usize = 1024;

/// The loops of one [`Unary`] function for one element type: pointers, so that what splits the work, in the methods, is
/// compiled for each type of element only.
pub struct UnaryLoops<E: 'static> {
    parallel_above: usize,
    forward: fn(&mut [E], [E; 2]),
    apart: fn(&[E], &mut [E], [E; 2]),
    backward: fn(&[E], &mut [E], [E; 2]),
}

impl<E: Float> UnaryLoops<E> {
    pub const fn of<U: Unary>() -> Self {
        UnaryLoops {
            parallel_above: U::PARALLEL_ABOVE,
            forward: unary_forward::<U, E>,
            // a loop of its own only where its time is that of the memory: a copy in cache is nothing beside an exponential
            apart: if U::PARALLEL_ABOVE < parallel::CHEAP { unary_copied::<U, E> } else { unary_apart::<U, E> },
            backward: unary_backward::<U, E>,
        }
    }

    /// `out = f(x)`; without `x`, in place.
    pub fn forward(&self, x: Option<&[E]>, out: &mut [E], p: [E; 2]) {
        parallel::parts(out, self.parallel_above, |start, out| match x {
            Some(x) => (self.apart)(&x[start..start + out.len()], out, p),
            None => (self.forward)(out, p),
        });
    }

    /// `gradient *= f'(saved)`, but see [`Unary::MASKS`]; `saved` is empty if nothing is saved.
    pub fn backward(&self, saved: &[E], gradient: &mut [E], p: [E; 2]) {
        parallel::parts(gradient, self.parallel_above, |start, gradient| {
            let saved = if saved.is_empty() { saved } else { &saved[start..start + gradient.len()] };
            (self.backward)(saved, gradient, p);
        });
    }
}

vectorized! {
    wide(wide_pays::<E>(U::PARALLEL_ABOVE < parallel::CHEAP))
    fn unary_forward [U: Unary, E: Float] [U, E] (values: &mut [E], p: [E; 2]) {
        for x in values {
            *x = U::forward(*x, p);
        }
    }
}

vectorized! {
    fn unary_apart [U: Unary, E: Float] [U, E] (x: &[E], out: &mut [E], p: [E; 2]) {
        for (out, &x) in out.iter_mut().zip(x) {
            *out = U::forward(x, p);
        }
    }
}

fn unary_copied<U: Unary, E: Float>(x: &[E], out: &mut [E], p: [E; 2]) {
    for (out, x) in out.chunks_mut(BLOCK).zip(x.chunks(BLOCK)) {
        out.copy_from_slice(x);
        unary_forward::<U, E>(out, p);
    }
}

vectorized! {
    wide(wide_pays::<E>(U::PARALLEL_ABOVE < parallel::CHEAP))
    fn unary_backward [U: Unary, E: Float] [U, E] (saved: &[E], gradient: &mut [E], p: [E; 2]) {
        if let Saves::Nothing = U::SAVES {
            let derivative = U::derivative(E::zero(), p);
            for g in gradient {
                *g = times::<U, E>(*g, derivative);
            }
        } else {
            for (g, &saved) in gradient.iter_mut().zip(saved) {
                *g = times::<U, E>(*g, U::derivative(saved, p));
            }
        }
    }
}

#[inline(always)]
fn times<U: Unary, E: Float>(gradient: E, derivative: E) -> E {
    if U::MASKS && derivative == E::zero() { E::zero() } else { gradient * derivative }
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

/// The loops of one [`Binary`] function for one element type; pointers, as in [`UnaryLoops`].
pub struct BinaryLoops<E: 'static> {
    parallel_above: usize,
    saves: bool,
    forward: fn(&mut [E], &[E]),
    apart: fn(&mut [E], &[E], &[E]),
    left: GradientLoop<E>,
    right: GradientLoop<E>,
}

impl<E: Float> BinaryLoops<E> {
    pub const fn of<B: Binary>() -> Self {
        BinaryLoops {
            parallel_above: B::PARALLEL_ABOVE,
            saves: B::SAVES,
            forward: binary_forward::<B, E>,
            apart: if B::PARALLEL_ABOVE < parallel::CHEAP { binary_copied::<B, E> } else { binary_apart::<B, E> },
            left: binary_backward::<B, E, true>,
            right: binary_backward::<B, E, false>,
        }
    }

    /// `out = f(a, b)`.
    pub fn forward(&self, operands: Operands<'_, E>, out: &mut [E]) {
        parallel::parts(out, self.parallel_above, |start, out| {
            let range = start..start + out.len();
            match &operands {
                Operands::LeftInPlace(b) => (self.forward)(out, &b[range]),
                Operands::Apart(a, b) => (self.apart)(out, &a[range.clone()], &b[range]),
                Operands::RightInPlace(a) => {
                    let mut copy = [E::zero(); BLOCK];
                    for (out, a) in out.chunks_mut(BLOCK).zip(a[range].chunks(BLOCK)) {
                        let b = &mut copy[..out.len()];
                        b.copy_from_slice(out);
                        out.copy_from_slice(a);
                        (self.forward)(out, b);
                    }
                }
            }
        });
    }

    /// `gradient` of the result becomes that of a.
    pub fn left(&self, gradient: &mut [E], a: &[E], b: &[E]) {
        self.backward(self.left, gradient, a, b);
    }

    /// `gradient` of the result becomes that of b.
    pub fn right(&self, gradient: &mut [E], a: &[E], b: &[E]) {
        self.backward(self.right, gradient, a, b);
    }

    fn backward(&self, part: GradientLoop<E>, gradient: &mut [E], a: &[E], b: &[E]) {
        parallel::parts(gradient, self.parallel_above, |start, gradient| {
            let range = if self.saves { start..start + gradient.len() } else { 0..0 };
            part(gradient, &a[range.clone()], &b[range]);
        });
    }
}

vectorized! {
    fn binary_forward [B: Binary, E: Float] [B, E] (out: &mut [E], b: &[E]) {
        for (out, &b) in out.iter_mut().zip(b) {
            *out = B::forward(*out, b);
        }
    }
}

vectorized! {
    fn binary_apart [B: Binary, E: Float] [B, E] (out: &mut [E], a: &[E], b: &[E]) {
        for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
            *out = B::forward(a, b);
        }
    }
}

fn binary_copied<B: Binary, E: Float>(out: &mut [E], a: &[E], b: &[E]) {
    for ((out, a), b) in out.chunks_mut(BLOCK).zip(a.chunks(BLOCK)).zip(b.chunks(BLOCK)) {
        out.copy_from_slice(a);
        binary_forward::<B, E>(out, b);
    }
}

vectorized! {
    fn binary_backward [B: Binary, E: Float, const LEFT: bool] [B, E, LEFT] (gradient: &mut [E], a: &[E], b: &[E]) {
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

vectorized! {
    fn add_part [E: Float] [E] (sum: &mut [E], more: &[E]) {
        sum.iter_mut().zip(more).for_each(|(sum, &more)| *sum += more);
    }
}

struct TwoArrays;
impl Family for TwoArrays {
    type Of<E: Float> = fn(&mut [E], &[E]);
}
struct ArrayAndNumber;
impl Family for ArrayAndNumber {
    type Of<E: Float> = fn(&mut [E], E);
}

/// `sum += more`.
pub fn add_assign<E: Float>(sum: &mut [E], more: &[E]) {
    static ADD: PerFloat<TwoArrays> = PerFloat { f32: add_all, f64: add_all };
    E::pick(&ADD)(sum, more);
}

fn add_all<E: Float>(sum: &mut [E], more: &[E]) {
    assert_eq!(sum.len(), more.len());
    parallel::parts(sum, parallel::CHEAP, |start, sum| add_part(sum, &more[start..start + sum.len()]));
}

vectorized! {
    fn scale_part [E: Float] [E] (values: &mut [E], factor: E) {
        values.iter_mut().for_each(|value| *value *= factor);
    }
}

vectorized! {
    fn move_part [E: Float] [E] (values: &mut [E], others: &[E], rate: E) {
        values.iter_mut().zip(others).for_each(|(value, &other)| *value += rate * (other - *value));
    }
}

/// `values += rate * (others - values)`.
pub fn move_towards<E: Float>(values: &mut [E], others: &[E], rate: E) {
    assert_eq!(values.len(), others.len());
    parallel::parts(values, parallel::CHEAP, |start, values| move_part(values, &others[start..][..values.len()], rate));
}

/// `values *= factor`.
pub fn scale<E: Float>(values: &mut [E], factor: E) {
    static SCALE: PerFloat<ArrayAndNumber> = PerFloat { f32: scale_all, f64: scale_all };
    E::pick(&SCALE)(values, factor);
}

fn scale_all<E: Float>(values: &mut [E], factor: E) {
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
