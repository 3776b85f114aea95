//! Images in which every pixel is a weighted sum of pixels of another image, separately down and across: scaling up,
//! and padding by zeros, reflection or repetition.
//!
//! y_{ij} = sum_{a,b} u_{ia} v_{jb} x_{ab}, with at most two numbers in each row of u and of v. The gradient of x is
//! the transpose, sum_{i,j} u_{ia} v_{jb} g_{ij}. Nothing is saved.

use crate::kernels::resample::{Taps, resample, resample_backward};
use crate::memory::Storage;
use crate::shape::{Dim, Shape};
use crate::tape::record;
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};

/// The taps for one input pixel, unchanged.
pub(crate) fn single<E: Float>(place: usize) -> Taps<E> {
    [(place, E::one()), (place, E::zero())]
}

/// Resamples each image (height and width are the last two axes of `x`) to the size `out`, along each axis by
/// `taps(place, input size, output size)`.
#[track_caller]
pub(crate) fn resample2d<S: Shape, O: Shape, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    shape: O,
    size: [usize; 2],
    out: [usize; 2],
    taps: impl Fn(usize, usize, usize) -> Taps<E>,
) -> Tensor<O, E, T> {
    let (_, x, trace) = x.into_parts();
    // panics if the shape is too large, before the taps are computed: they are as many as an axis is long, even if
    // there are no pixels
    let mut y = Storage::scratch(shape.count());
    let none = x.len() == 0 || y.len() == 0;
    let axis = |axis: usize| -> Vec<Taps<E>> {
        (0..if none { 0 } else { out[axis] }).map(|place| taps(place, size[axis], out[axis])).collect()
    };
    let (down, across) = (axis(0), axis(1));
    resample(size, &down, &across, x.as_slice(), y.make_mut());
    let len = x.len();
    let node = record([trace.node()], |_| {
        move |g: Storage<E>, parents: &mut Parents<'_, 1>| {
            parents.write(0, len, |dx, store| {
                store.clear(dx);
                resample_backward(size, &down, &across, g.as_slice(), dx);
            });
        }
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}

/// Height and width of images.
pub(crate) fn image_size<N: Dim, C: Dim, H: Dim, W: Dim>(shape: (N, C, H, W)) -> [usize; 2] {
    [shape.2.size(), shape.3.size()]
}
