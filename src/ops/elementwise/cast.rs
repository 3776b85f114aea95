//! Conversion of elements to another type.
//!
//! Between f32 and f64, the gradient is cast back. Indices and masks have none, so casts from or to them are constants
//! of the computation.

use crate::kernels::convert::convert;
use crate::memory::Storage;
use crate::shape::Shape;
use crate::tape::{Node, constant, record};
use crate::tensor::{Element, Tensor};
use crate::trace::{Parents, Trace};

/// Elements of this type can be converted to type `F`. See [`Tensor::cast`].
#[diagnostic::on_unimplemented(
    message = "a tensor of `{Self}` cannot be cast to `{F}`",
    note = "every type of elements can be cast to `f32`, `f64` and `usize`; compare to get `bool`: `x.ne(0.0)`"
)]
pub trait CastTo<F: Element>: Element {
    #[doc(hidden)]
    fn convert_all(values: &[Self], out: &mut [F]);
    #[doc(hidden)]
    #[track_caller]
    fn record_cast(node: Option<&Node>) -> Option<Node> {
        constant(node.into_iter())
    }
}

macro_rules! casts {
    ($($from:ident => $($to:ident)*: |$x:ident| $number:expr;)*) => { $($(
        impl CastTo<$to> for $from {
            fn convert_all(values: &[$from], out: &mut [$to]) {
                convert(values, out, |$x| $number as $to);
            }
        }
    )*)* };
}
casts! {
    f32 => usize: |x| x;
    f64 => usize: |x| x;
    usize => f32 f64 usize: |x| x;
    bool => f32 f64 usize: |x| u8::from(x);
}

macro_rules! casts_with_gradient {
    ($($from:ident => $to:ident;)*) => { $(
        impl CastTo<$to> for $from {
            fn convert_all(values: &[$from], out: &mut [$to]) {
                convert(values, out, |x| x as $to);
            }
            fn record_cast(node: Option<&Node>) -> Option<Node> {
                record([node], |_| |g: Storage<$to>, parents: &mut Parents<'_, 1>| {
                    let mut back = Storage::<$from>::scratch(g.len());
                    CastTo::convert_all(g.as_slice(), back.make_mut());
                    parents.add(0, back);
                })
            }
        }
    )* };
}
casts_with_gradient! {
    f32 => f32;
    f32 => f64;
    f64 => f32;
    f64 => f64;
}

impl<S: Shape, E: Element, T: Trace> Tensor<S, E, T> {
    /// The same numbers as elements of type `F`: `f32`, `f64` or `usize`.
    ///
    /// Numbers that `F` cannot represent are converted as by Rust's `as`: to the nearest floating-point number, or, for
    /// `usize`, towards 0 and into its range, with 0 for NaN. `true` is 1 and `false` is 0.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let (predicted, labels) = (Tensor::from([3, 1, 2, 2]), Tensor::from([3, 0, 2, 2]));
    /// let accuracy = predicted.equal(&labels).cast::<f32>().mean();
    /// assert_eq!(accuracy.item(), 0.75);
    /// ```
    #[doc(alias = "astype")]
    #[track_caller]
    pub fn cast<F: Element>(self) -> Tensor<S, F, T>
    where
        E: CastTo<F>,
    {
        let (shape, x, trace) = self.into_parts();
        let mut y = Storage::scratch(x.len());
        E::convert_all(x.as_slice(), y.make_mut());
        Tensor::from_parts(shape, y, T::from_node(E::record_cast(trace.node())))
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::*;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        random_shapes!(|shape, rng| {
            check_function(|x| x.clone().cast::<f64>() * x, random(shape, -3.0, 3.0, rng));
        });
        // through f32, where a finite difference would drown in rounding
        let tape = Tape::inference();
        let x = tape.watch(Tensor::<_, f64>::of([0.5, -2.0]));
        let y = x.clone().cast::<f32>().square().cast::<f64>() * 3.0;
        assert_eq!(y.sum().backward().of_input(&x).to_array(), [3.0, -12.0]);
    }

    #[test]
    fn values_are_rounded_and_saturate() {
        let x = Tensor::<_, f64>::of([0.1, -1.7, 2.9, f64::NAN, 1e300]);
        assert_eq!(x.clone().cast::<usize>().to_array(), [0, 0, 2, 0, usize::MAX]);
        let single = x.cast::<f32>();
        assert_eq!((single[[0]], single[[4]]), (0.1, f32::INFINITY));
        assert_eq!(Tensor::from([true, false]).cast::<usize>().to_array(), [1, 0]);
        assert_eq!(Tensor::from([3, 0]).cast::<f64>().to_array(), [3.0, 0.0]);
    }

    #[test]
    fn indices_on_a_tape_become_constants() {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([2.0, 3.0]));
        let y = tape.trace(Tensor::from([5, 7])).cast::<f32>() * x.clone();
        assert_eq!(y.sum().backward().of_input(&x).to_array(), [5.0, 7.0]);
    }
}
