//! Loops over the elements of one or two arrays.

use super::parallel;
use super::prefetch::prefetch;
use super::vectorized;
use super::vectorized::wide_pays;
use crate::numbers::math::Math;
use crate::numbers::{Family, Float, PerFloat};

/// A function of one number, with its derivative. See `ops/elementwise/unary.rs`.
pub trait Unary: 'static {
    /// What the derivative needs.
    const SAVES: Saves;
    /// Whether a derivative of 0 blocks every gradient, even infinite or NaN: for piecewise functions with a constant
    /// piece.
    const MASKS: bool = false;
    /// The number of elements above which threads are worthwhile.
    const PARALLEL_ABOVE: usize = parallel::CHEAP;
    /// The function; `p` are parameters (a slope, limits) that few functions have.
    fn forward<M: Math, E: Float>(x: E, p: [E; 2]) -> E;
    /// The derivative, from what [`Unary::SAVES`] says.
    fn derivative<M: Math, E: Float>(saved: E, p: [E; 2]) -> E;
    /// The gradient of the argument, `g` times the derivative: for functions whose derivative may be out of range where
    /// this is not.
    #[inline(always)]
    fn gradient<M: Math, E: Float>(g: E, saved: E, p: [E; 2]) -> E {
        let derivative = Self::derivative::<M, E>(saved, p);
        if Self::MASKS && derivative == E::zero() { E::zero() } else { g * derivative }
    }
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

/// The number of elements copied at once where an in-place loop is applied to another array: few enough to stay in
/// cache.
const BLOCK: usize = 1024;
/// The number of elements that a costly function is computed of at once: few enough that the processor fetches the next
/// ones while it computes, and that the compiler unrolls the loop over them, so that one does not wait for the other.
const GROUP: usize = 32;
/// This many groups are fetched before they are needed: a processor with a cost per number does not look far enough
/// ahead to keep its memory busy.
const AHEAD: usize = 8;

/// The loops of one [`Unary`] function for one element type: pointers, so that the methods, which split the work, are
/// compiled once per element type.
pub struct UnaryLoops<E: 'static> {
    parallel_above: usize,
    forward: UnaryForward<E>,
    backward: fn(&[E], &mut [E], [E; 2]),
}

enum UnaryForward<E: 'static> {
    /// One loop for both places: a copy in the first-level cache costs little beside an exponential.
    Costly(fn(Option<&[[E; GROUP]]>, &mut [[E; GROUP]], [E; 2])),
    /// A loop for each.
    Cheap { in_place: fn(&mut [E], [E; 2]), apart: fn(&[E], &mut [E], [E; 2]) },
}

impl<E: Float> UnaryLoops<E> {
    pub const fn of<U: Unary>() -> Self {
        UnaryLoops {
            parallel_above: U::PARALLEL_ABOVE,
            forward: if U::PARALLEL_ABOVE < parallel::CHEAP {
                UnaryForward::Costly(unary_groups::<U, E>)
            } else {
                UnaryForward::Cheap { in_place: unary_in_place::<U, E>, apart: unary_apart::<U, E> }
            },
            backward: unary_backward::<U, E>,
        }
    }

    /// `out = f(x)`; without `x`, in place.
    pub fn forward(&self, x: Option<&[E]>, out: &mut [E], p: [E; 2]) {
        parallel::parts(out, self.parallel_above, |start, out| {
            let x = x.map(|x| &x[start..start + out.len()]);
            match (&self.forward, x) {
                (UnaryForward::Costly(groups), x) => {
                    let whole = out.len() / GROUP * GROUP;
                    let (out, last) = out.as_chunks_mut();
                    groups(x.map(|x| x.as_chunks().0), out, p);
                    if !last.is_empty() {
                        let mut group = [E::zero(); GROUP];
                        group[..last.len()].copy_from_slice(x.map_or(&*last, |x| &x[whole..]));
                        groups(None, std::slice::from_mut(&mut group), p);
                        last.copy_from_slice(&group[..last.len()]);
                    }
                }
                (UnaryForward::Cheap { apart, .. }, Some(x)) => apart(x, out, p),
                (UnaryForward::Cheap { in_place, .. }, None) => in_place(out, p),
            }
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
    wide(wide_pays::<E>(true))
    fn unary_groups [U: Unary, E: Float] [U, E] (x: Option<&[[E; GROUP]]>, out: &mut [[E; GROUP]], p: [E; 2]) {
        for i in 0..out.len() {
            prefetch(x.unwrap_or(out).as_ptr().wrapping_add(i + AHEAD));
            prefetch(out.as_ptr().wrapping_add(i + AHEAD));
            let mut group = x.unwrap_or(out)[i];
            for x in &mut group {
                *x = U::forward::<M, E>(*x, p);
            }
            out[i] = group;
        }
    }
}

vectorized! {
    fn unary_in_place [U: Unary, E: Float] [U, E] (values: &mut [E], p: [E; 2]) {
        for x in values {
            *x = U::forward::<M, E>(*x, p);
        }
    }
}

vectorized! {
    fn unary_apart [U: Unary, E: Float] [U, E] (x: &[E], out: &mut [E], p: [E; 2]) {
        for (out, &x) in out.iter_mut().zip(x) {
            *out = U::forward::<M, E>(x, p);
        }
    }
}

vectorized! {
    wide(wide_pays::<E>(U::PARALLEL_ABOVE < parallel::CHEAP))
    fn unary_backward [U: Unary, E: Float] [U, E] (saved: &[E], gradient: &mut [E], p: [E; 2]) {
        if let Saves::Nothing = U::SAVES {
            for g in gradient {
                *g = U::gradient::<M, E>(*g, E::zero(), p);
            }
        } else {
            for (g, &saved) in gradient.iter_mut().zip(saved) {
                *g = U::gradient::<M, E>(*g, saved, p);
            }
        }
    }
}

/// A function of two numbers, with its derivatives. See `ops/elementwise/binary.rs`.
pub trait Binary: 'static {
    /// Whether the derivatives need the operands.
    const SAVES: bool;
    /// The number of elements above which threads are worthwhile.
    const PARALLEL_ABOVE: usize = parallel::CHEAP;
    /// The function.
    fn forward<E: Float>(a: E, b: E) -> E;
    /// The gradient of the left operand, `g * df/da`. If nothing is saved, a and b are 0.
    fn left<E: Float>(g: E, a: E, b: E) -> E;
    /// The gradient of the right operand, `g * df/db`.
    fn right<E: Float>(g: E, a: E, b: E) -> E;
}

/// The places of the result and the operands of a binary loop.
pub enum Operands<'a, E> {
    /// `out = f(a, b)`.
    Apart(&'a [E], &'a [E]),
    /// `out = f(out, b)`.
    LeftInPlace(&'a [E]),
    /// `out = f(a, out)`.
    RightInPlace(&'a [E]),
}

/// A loop that turns the gradient of the result into that of one operand, in place.
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

vectorized! {
    fn with_row_part [E: Float] [E] (x: &[E], row: &[E], out: &mut [E]) {
        for (out, x) in out.chunks_exact_mut(row.len()).zip(x.chunks_exact(row.len())) {
            out.iter_mut().zip(x).zip(row).for_each(|((out, &x), &added)| *out = x + added);
        }
    }
}

/// Each row of `x` and `row`, added.
pub fn with_row<E: Float>(x: &[E], row: &[E], out: &mut [E]) {
    assert_eq!(x.len(), out.len());
    if !row.is_empty() {
        parallel::rows(out, row.len(), parallel::CHEAP, |first, out| {
            with_row_part(&x[first * row.len()..][..out.len()], row, out);
        });
    }
}

/// Adds `row` to each row: a bias to a batch.
pub fn add_row<E: Float>(rows: &mut [E], row: &[E]) {
    if !row.is_empty() {
        parallel::rows(rows, row.len(), parallel::CHEAP, |_, rows| add_row_part(rows, row));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{assert_close, random};
    use crate::numbers::Generator;

    /// p0 x^2 + p1
    struct Square;
    impl Unary for Square {
        const SAVES: Saves = Saves::Input;
        fn forward<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
            p[0] * x * x + p[1]
        }
        fn derivative<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
            E::of(2.0) * p[0] * x
        }
    }

    /// The same with a lower threshold for threads, so it is computed in groups.
    struct Costly;
    impl Unary for Costly {
        const SAVES: Saves = Saves::Input;
        const PARALLEL_ABOVE: usize = parallel::COSTLY;
        fn forward<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
            Square::forward::<M, E>(x, p)
        }
        fn derivative<M: Math, E: Float>(x: E, p: [E; 2]) -> E {
            Square::derivative::<M, E>(x, p)
        }
    }

    /// a - 2 b
    struct Weighted;
    impl Binary for Weighted {
        const SAVES: bool = true;
        fn forward<E: Float>(a: E, b: E) -> E {
            a - E::of(2.0) * b
        }
        fn left<E: Float>(g: E, a: E, b: E) -> E {
            g * (a + E::of(3.0) * b)
        }
        fn right<E: Float>(g: E, a: E, b: E) -> E {
            g * (b - a)
        }
    }

    /// Around a register, a group, a block, and large enough for several threads.
    const LENGTHS: [usize; 10] =
        [0, 1, 5, 31, GROUP, GROUP + 1, BLOCK - 1, BLOCK + 1, 3 * parallel::COSTLY / 2, 3 * parallel::CHEAP / 2];

    fn unary<E: Float, U: Unary>(len: usize, rng: &mut Generator) {
        let loops = UnaryLoops::<E>::of::<U>();
        let p = [E::of(1.5), E::of(-0.25)];
        let (x, g): (Vec<E>, Vec<E>) = (random(len, rng), random(len, rng));
        let expected: Vec<f64> = x.iter().map(|x| 1.5 * x.as_f64() * x.as_f64() - 0.25).collect();
        let (mut apart, mut in_place, mut gradient) = (vec![E::nan(); len], x.clone(), g.clone());
        loops.forward(Some(&x), &mut apart, p);
        loops.forward(None, &mut in_place, p);
        assert_close(&apart, &expected, 4);
        assert!(apart == in_place);
        loops.backward(&x, &mut gradient, p);
        let expected: Vec<f64> = x.iter().zip(&g).map(|(x, g)| 3.0 * x.as_f64() * g.as_f64()).collect();
        assert_close(&gradient, &expected, 4);
    }

    fn binary<E: Float>(len: usize, rng: &mut Generator) {
        let loops = BinaryLoops::<E>::of::<Weighted>();
        let [a, b, g]: [Vec<E>; 3] = [random(len, rng), random(len, rng), random(len, rng)];
        let each = |f: fn(f64, f64, f64) -> f64| -> Vec<f64> {
            (0..len).map(|i| f(a[i].as_f64(), b[i].as_f64(), g[i].as_f64())).collect()
        };
        let (mut apart, mut left, mut right) = (vec![E::nan(); len], a.clone(), b.clone());
        loops.forward(Operands::Apart(&a, &b), &mut apart);
        loops.forward(Operands::LeftInPlace(&b), &mut left);
        loops.forward(Operands::RightInPlace(&a), &mut right);
        assert_close(&apart, &each(|a, b, _| a - 2.0 * b), 4);
        assert!(apart == left && apart == right);
        let (mut of_a, mut of_b) = (g.clone(), g.clone());
        loops.left(&mut of_a, &a, &b);
        loops.right(&mut of_b, &a, &b);
        assert_close(&of_a, &each(|a, b, g| g * (a + 3.0 * b)), 8);
        assert_close(&of_b, &each(|a, b, g| g * (b - a)), 8);
    }

    #[test]
    fn functions_of_one_and_two_numbers_in_place_and_apart() {
        let mut rng = Generator::new(0);
        for len in LENGTHS {
            unary::<f32, Square>(len, &mut rng);
            unary::<f64, Square>(len, &mut rng);
            unary::<f32, Costly>(len, &mut rng);
            binary::<f32>(len, &mut rng);
            binary::<f64>(len, &mut rng);
        }
    }

    #[test]
    fn sums_scales_and_rows() {
        let mut rng = Generator::new(1);
        for len in LENGTHS {
            let (a, b): (Vec<f32>, Vec<f32>) = (random(len, &mut rng), random(len, &mut rng));
            let mut sum = a.clone();
            add_assign(&mut sum, &b);
            assert!((0..len).all(|i| sum[i] == a[i] + b[i]));
            scale(&mut sum, 3.0);
            assert!((0..len).all(|i| sum[i] == (a[i] + b[i]) * 3.0));
        }
        for (rows, width) in [(0, 3), (4, 0), (5, 1), (7, 33), (3_000, 50)] {
            let (before, row): (Vec<f64>, Vec<f64>) = (random(rows * width, &mut rng), random(width, &mut rng));
            let (mut after, mut apart) = (before.clone(), vec![f64::NAN; before.len()]);
            add_row(&mut after, &row);
            with_row(&before, &row, &mut apart);
            assert!(after == apart);
            assert!((0..after.len()).all(|i| after[i] == before[i] + row[i % width]));
        }
    }
}
