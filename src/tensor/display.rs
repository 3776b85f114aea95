//! Printing tensors: all rows and columns with `{}`, one line with `{:?}`.

use super::{Element, Tensor};
use crate::shape::{Shape, show};
use crate::trace::Trace;
use std::fmt;

/// Along an axis longer than this, only the ends are printed ...
const LONGEST: usize = 10;
/// ... this many elements of each.
const END: usize = 3;

impl<S: Shape, E: Element, T: Trace> fmt::Display for Tensor<S, E, T> {
    /// Rows and columns as NumPy prints them, then shape and type. Long axes are cut. A precision (`{:.3}`) is that of
    /// the numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes = self.shape().sizes();
        let text = |value: &E| match f.precision() {
            Some(precision) => format!("{value:.precision$}"),
            None => format!("{value}"),
        };
        let mut printed = String::new();
        let mut width = 0;
        each_shown(sizes.as_ref(), 0, &mut |index| width = width.max(text(&self.as_slice()[index]).chars().count()));
        write_axis(&mut printed, sizes.as_ref(), 0, 0, &|index| format!("{:>width$}", text(&self.as_slice()[index])));
        write!(f, "{printed} {} {}", show(self.shape()), E::NAME)
    }
}

/// The indices of an axis that are printed. The axis may be too long to loop over, if another is empty.
fn shown(size: usize) -> impl Iterator<Item = usize> {
    let first = if size <= LONGEST { size } else { END };
    (0..first).chain(size - END.min(size - first)..size)
}

fn each_shown(sizes: &[usize], start: usize, f: &mut impl FnMut(usize)) {
    match sizes {
        [] => f(start),
        [size, inner @ ..] => {
            let step: usize = inner.iter().product();
            shown(*size).for_each(|i| each_shown(inner, start + i * step, f));
        }
    }
}

fn write_axis(out: &mut String, sizes: &[usize], start: usize, depth: usize, text: &impl Fn(usize) -> String) {
    let [size, inner @ ..] = sizes else {
        out.push_str(&text(start));
        return;
    };
    let step: usize = inner.iter().product();
    let separator = if inner.is_empty() { ", ".to_string() } else { format!(",\n{}", " ".repeat(depth + 1)) };
    out.push('[');
    let mut last = None;
    for i in shown(*size) {
        if let Some(last) = last {
            out.push_str(&separator);
            if i > last + 1 {
                out.push_str("...");
                out.push_str(&separator);
            }
        }
        write_axis(out, inner, start + i * step, depth + 1, text);
        last = Some(i);
    }
    out.push(']');
}

impl<S: Shape, E: Element, T: Trace> fmt::Debug for Tensor<S, E, T> {
    /// One line: shape, type and the first elements.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const FIRST: usize = 6;
        write!(f, "Tensor {} {} [", show(self.shape()), E::NAME)?;
        for (i, value) in self.as_slice().iter().take(FIRST).enumerate() {
            write!(f, "{}{value:?}", if i > 0 { ", " } else { "" })?;
        }
        write!(f, "{}]", if self.count() > FIRST { ", ..." } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn rows_and_columns_are_aligned() {
        let x = Tensor::from([[1.0, -2.5], [10.0, 0.0]]);
        assert_eq!(format!("{x}"), "[[   1, -2.5],\n [  10,    0]] (2, 2) f32");
        assert_eq!(format!("{x:.1}"), "[[ 1.0, -2.5],\n [10.0,  0.0]] (2, 2) f32");
        assert_eq!(format!("{x:?}"), "Tensor (2, 2) f32 [1.0, -2.5, 10.0, 0.0]");
        assert_eq!(format!("{}", Tensor::from(3.5)), "3.5 () f32");
        assert_eq!(format!("{}", Tensor::<Rank1<0>>::zeros()), "[] (0,) f32");
    }

    #[test]
    fn large_tensors_are_cut() {
        let x = Tensor::<Rank1<100>, usize>::arange();
        assert_eq!(format!("{x}"), "[ 0,  1,  2, ..., 97, 98, 99] (100,) usize");
        assert_eq!(format!("{x:?}"), "Tensor (100,) usize [0, 1, 2, 3, 4, 5, ...]");
    }
}
