//! Convolution and transposed convolution, without shape types, as the kernels see them.
//!
//! y_{n,o,i,j} = b_o + sum_{c,u,v} W_{o,c,u,v} x_{n, c, i stride + u dilation - padding, j stride + v dilation -
//! padding}
//!
//! where x is 0 outside the image. (This is a cross-correlation, as in every deep-learning library.)
//!
//! Shapes: x (N, C, H, W), W (O, C / groups, k, k), b (O), y (N, O, out_h, out_w). The layers in `nn` compute the
//! shapes in the type system and pass the sizes on. With g the gradient of y:
//!
//! - gradient of x: g convolved with the weight, transposed
//! - gradient of W: for each tap, the products of g with the pixels under that tap, summed
//! - gradient of b: the sum of g over batch and positions
//!
//! A transposed convolution has the gradient of x as its forward pass: the two passes swap roles. Zeiler et al.,
//! "Deconvolutional Networks", 2010; Dumoulin and Visin, "A guide to convolution arithmetic", 2016.
//!
//! Saved: x and W. What a method derives from them (columns, transformed tiles) is recomputed in the backward pass,
//! which costs less than keeping it. `kernels/convolution/` chooses the method by the sizes.

use crate::kernels::convolution::{self, Convolution, Start};
use crate::memory::Storage;
use crate::shape::Shape;
use crate::tape::{note_multiply_adds, record};
use crate::tensor::{Float, Tensor};
use crate::trace::{Parents, Trace};

/// What a convolution is added to.
fn start<B: Shape, E: Float, T: Trace>(bias: Option<&Tensor<B, E, T>>) -> Start<'_, E> {
    bias.map_or(Start::Zero, |bias| Start::Bias(bias.as_slice()))
}

/// The convolution of `x` with `weight`. The caller computed `shape` and `sizes` from the shapes of both.
#[track_caller]
pub(crate) fn convolution<S: Shape, W: Shape, B: Shape, O: Shape, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    weight: Tensor<W, E, T>,
    bias: Option<Tensor<B, E, T>>,
    shape: O,
    sizes: Convolution,
) -> Tensor<O, E, T> {
    let (_, x, x_trace) = x.into_parts();
    let (_, weight, weight_trace) = weight.into_parts();
    let mut y = Storage::scratch(shape.count());
    note_multiply_adds(y.len().saturating_mul(sizes.windows.taps()));
    convolution::forward(sizes, x.as_slice(), weight.as_slice(), start(bias.as_ref()), y.make_mut());
    let bias_node = bias.as_ref().and_then(|bias| bias.trace().node());
    let node = record([x_trace.node(), weight_trace.node(), bias_node], |needs| {
        let weight = needs[0].then_some(weight);
        let x = needs[1].then_some(x);
        move |g: Storage<E>, parents: &mut Parents<'_, 3>| {
            let g = g.as_slice();
            let (channels, positions) = (sizes.groups * sizes.filters, sizes.windows.positions());
            parents.write(2, channels, |out, store| convolution::sum_channels(g, channels, positions, out, store));
            if let Some(x) = x {
                parents.write(1, sizes.weight(), |out, store| {
                    convolution::backward_weight(sizes, x.as_slice(), g, out, store);
                });
            }
            if let Some(weight) = weight {
                parents.write(0, sizes.batch * sizes.input(), |out, store| {
                    let start = if store.adds() { Start::There } else { Start::Zero };
                    convolution::backward_input(sizes, g, weight.as_slice(), start, out);
                });
            }
        }
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}

/// The transposed convolution of `x` with `weight`. `sizes` are those of the convolution from the result to `x`: its
/// input is the result.
#[track_caller]
pub(crate) fn transposed_convolution<S: Shape, W: Shape, B: Shape, O: Shape, E: Float, T: Trace>(
    x: Tensor<S, E, T>,
    weight: Tensor<W, E, T>,
    bias: Option<Tensor<B, E, T>>,
    shape: O,
    sizes: Convolution,
) -> Tensor<O, E, T> {
    note_multiply_adds(x.count().saturating_mul(sizes.windows.taps()));
    let (_, x, x_trace) = x.into_parts();
    let (_, weight, weight_trace) = weight.into_parts();
    shape.count(); // panics if it is too large, before parts of it are computed
    let channels = sizes.groups * sizes.windows.channels;
    let pixels = sizes.windows.size[0] * sizes.windows.size[1];
    let mut y = Storage::scratch(shape.count());
    convolution::backward_input(sizes, x.as_slice(), weight.as_slice(), start(bias.as_ref()), y.make_mut());
    let bias_node = bias.as_ref().and_then(|bias| bias.trace().node());
    let node = record([x_trace.node(), weight_trace.node(), bias_node], |needs| {
        let weight = needs[0].then_some(weight);
        let x = needs[1].then_some(x);
        move |g: Storage<E>, parents: &mut Parents<'_, 3>| {
            let g = g.as_slice();
            parents.write(2, channels, |out, store| convolution::sum_channels(g, channels, pixels, out, store));
            if let Some(x) = x {
                // input and output gradient swap roles
                parents.write(1, sizes.weight(), |out, store| {
                    convolution::backward_weight(sizes, g, x.as_slice(), out, store);
                });
            }
            if let Some(weight) = weight {
                let mut gradient = Storage::scratch(sizes.batch * sizes.output());
                convolution::forward(sizes, g, weight.as_slice(), Start::Zero, gradient.make_mut());
                parents.add(0, gradient);
            }
        }
    });
    Tensor::from_parts(shape, y, T::from_node(node))
}
