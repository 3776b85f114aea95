//! Pooling: the maximum or the mean of each patch of an image.
//!
//! y_{n,c,i,j} = max or mean of x_{n,c} over patch (i, j)
//!
//! Shapes: x (N, C, H, W), y (N, C, out_h, out_w).
//!
//! The gradient of a maximum goes to the largest pixel (the first, if there are several), so its index is saved; that
//! of a mean goes to all pixels of the patch in equal parts, so nothing is saved.

use crate::kernels::pooling::{self, Moves, Patches};
use crate::memory::Storage;
use crate::ops::Window2d;
use crate::shape::Shape;
use crate::tape::record;
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};
use std::ops::Range;

/// The patches under a moving window, for `outputs` outputs in all images together. They are cut off at the border, so
/// that padding is never the maximum.
///
/// # Panics
/// If there are no pixels to pool.
#[track_caller]
pub(crate) fn window_patches(window: Window2d, size: [usize; 2], outputs: usize) -> Patches {
    expect_pixels(size);
    let windows = window.over(1, size).expect("the layer's output size says that the window fits");
    let axis = |axis: usize| {
        let patch = |i: usize| {
            let start = i * window.stride[axis];
            let end = start + window.kernel[axis];
            let padding = window.padding[axis];
            start.saturating_sub(padding)..(end.saturating_sub(padding)).min(size[axis])
        };
        (0..windows.out[axis]).map(patch).collect()
    };
    let moves = Moves { kernel: window.kernel[1], stride: window.stride[1], padding: window.padding[1] };
    Patches { moves: Some(moves), ..patches(size, outputs, axis) }
}

/// The patches that divide each axis into `out` parts of lengths as equal as possible: from floor(i size / out) to
/// ceil((i + 1) size / out).
///
/// # Panics
/// If there are no pixels to pool.
#[track_caller]
pub(crate) fn adaptive_patches(size: [usize; 2], out: [usize; 2], outputs: usize) -> Patches {
    expect_pixels(size);
    let axis = |axis: usize| {
        let (size, out) = (size[axis], out[axis]);
        // i * size may overflow if the image is one long row of pixels
        let place = |i: usize| (i as u128 * size as u128 / out as u128) as usize;
        let end = |i: usize| (i as u128 * size as u128).div_ceil(out as u128) as usize;
        (0..out).map(|i| place(i)..end(i + 1)).collect()
    };
    patches(size, outputs, axis)
}

/// Panics if images of this size have no pixels: their patches would have neither maxima nor means.
#[track_caller]
pub(crate) fn expect_pixels([height, width]: [usize; 2]) {
    if height == 0 || width == 0 {
        panic!("pooling: an image of {height} x {width} pixels has nothing to pool");
    }
}

/// The patches of both axes. Without outputs there are none, however long the axes.
fn patches(size: [usize; 2], outputs: usize, axis: impl Fn(usize) -> Vec<Range<usize>>) -> Patches {
    let axis = |number| if outputs == 0 { Vec::new() } else { axis(number) };
    Patches { size, down: axis(0), across: axis(1), moves: None }
}

/// The maxima, and the index of each in its plane.
#[track_caller]
pub(crate) fn max_pool2d<S: Shape, O: Shape, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    shape: O,
    patches: &Patches,
) -> (Tensor<O, E, T>, Tensor<O, usize>) {
    let (_, x, trace) = x.into_parts();
    let mut y = Storage::scratch(shape.count());
    let mut indices = Storage::scratch(shape.count());
    pooling::max(patches, x.as_slice(), y.make_mut(), indices.make_mut());
    let pixels = patches.size[0] * patches.size[1];
    let outputs = patches.down.len() * patches.across.len();
    let len = x.len();
    let node = record([trace.node()], |_| {
        let indices = indices.clone();
        move |g: Storage<E>, parents: &mut Parents<'_, 1>| {
            parents.write(0, len, |dx, store| {
                store.clear(dx);
                pooling::scatter(g.as_slice(), indices.as_slice(), outputs, dx, pixels);
            });
        }
    });
    (Tensor::from_parts(shape, y, T::from_node(node)), Tensor::from_storage(shape, indices))
}

/// The means. Each sum is divided by `divisor` or, if there is none, by the number of pixels in the patch.
#[track_caller]
pub(crate) fn mean_pool2d<S: Shape, O: Shape, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    shape: O,
    patches: Patches,
    divisor: Option<usize>,
) -> Tensor<O, E, T> {
    let (_, x, trace) = x.into_parts();
    let mut y = Storage::scratch(shape.count());
    pooling::mean(&patches, divisor, x.as_slice(), y.make_mut());
    let len = x.len();
    let node = record([trace.node()], |_| {
        move |g: Storage<E>, parents: &mut Parents<'_, 1>| {
            parents.write(0, len, |dx, store| {
                store.clear(dx);
                pooling::mean_backward(&patches, divisor, g.as_slice(), dx);
            });
        }
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}

/// Each number of `y` at the place in its plane that `indices` gives, and zeros elsewhere: the reverse of max pooling.
///
/// If a place is given more than once, the numbers add up.
#[track_caller]
pub(crate) fn max_unpool2d<S: Shape, O: Shape, E: Float, T: Trace>(
    y: Tensor<S, E, T>,
    indices: Tensor<S, usize>,
    shape: O,
    [outputs, pixels]: [usize; 2],
) -> Tensor<O, E, T> {
    let (_, y, trace) = y.into_parts();
    let mut x = Storage::zeros(shape.count());
    pooling::scatter(y.as_slice(), indices.as_slice(), outputs, x.make_mut(), pixels);
    let node = record([trace.node()], |_| {
        move |g: Storage<E>, parents: &mut Parents<'_, 1>| {
            let mut gradient = Storage::scratch(indices.count());
            pooling::gather(g.as_slice(), pixels, indices.as_slice(), outputs, gradient.make_mut());
            parents.add(0, gradient);
        }
    });
    Tensor::from_parts(shape, x, T::from_node(node))
}
