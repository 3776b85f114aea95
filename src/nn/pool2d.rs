//! Pooling layers.

use super::conv2d::Out;
use super::{Init, Module};
use crate::kernels::pooling::Patches;
use crate::ops::{Window2d, adaptive_patches, expect_pixels, max_pool2d, max_unpool2d, mean_pool2d, window_patches};
use crate::params::Parameters;
use crate::shape::{AtLeastOne, Axis, Const, Dim, ImageAxes, PoolPadding, Shape, Window, show};
use crate::tensor::{Float, Tensor};
use crate::trace::{Trace, without_trace};

/// The shape of pooled images, and the pixels that each of theirs is made of.
///
/// # Panics
/// If the window does not fit a run-time size, or there are no pixels to pool.
#[track_caller]
fn windows<X: ImageAxes, const K: usize, const S: usize, const P: usize>(
    images: X,
) -> (PooledShape<X, K, S, P>, Patches)
where
    X::H: Window<K, S, P>,
    X::W: Window<K, S, P>,
{
    let (batch, channels, height, width) = images.axes();
    let shape = (batch, channels, height.windows(), width.windows());
    let window = Window2d { stride: [S; 2], padding: [P; 2], ..Window2d::square(K) };
    (shape, window_patches(window, [height.size(), width.size()], shape.count()))
}

/// The shape (N, C, `OH`, `OW`), and the pixels of each part of the image.
///
/// # Panics
/// If there are no pixels to pool.
#[track_caller]
fn parts<X: ImageAxes, const OH: usize, const OW: usize>(images: X) -> ((X::N, X::C, Const<OH>, Const<OW>), Patches) {
    let (batch, channels, height, width) = images.axes();
    let shape = (batch, channels, Const, Const);
    (shape, adaptive_patches([height.size(), width.size()], [OH, OW], shape.count()))
}

/// The maximum under a `K` x `K` window, moved by `S`, with `P` rows and columns of minus infinity around the image.
///
/// Shapes: (N, C, H, W) to (N, C, (H + 2 P - K) / S + 1, the same for W); leftovers at the bottom and the right are
/// ignored. (PyTorch's `ceil_mode` would see it: `x.pad_with::<2, 0, 1>(f32::NEG_INFINITY)` adds a row that makes the
/// last window whole.) The gradient goes to the first largest pixel of each window. NaN counts as largest.
///
/// ```
/// use taut::prelude::*;
/// let x = Tensor::from([[[[1.0, 2.0, 5.0, 3.0], [4.0, 0.0, 1.0, 1.0]]]]);
/// assert_eq!(MaxPool2d::<2>.forward(x).to_array(), [[[[4.0, 5.0]]]]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct MaxPool2d<const K: usize, const S: usize = K, const P: usize = 0>;

impl<X: ImageAxes, const K: usize, const S: usize, const P: usize, E: Float, T: Trace> Module<Tensor<X, E, T>>
    for MaxPool2d<K, S, P>
where
    X::H: Window<K, S, P>,
    X::W: Window<K, S, P>,
    Const<K>: PoolPadding<P>,
{
    type Output = Tensor<PooledShape<X, K, S, P>, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        self.pool(x).0
    }
}

/// A pooled image and where its maxima are, each as an index into its plane.
type Pooled<S, E, T> = (Tensor<S, E, T>, Tensor<S, usize>);

/// The shape of pooled images.
type PooledShape<X, const K: usize, const S: usize, const P: usize> =
    (<X as ImageAxes>::N, <X as ImageAxes>::C, Out<<X as ImageAxes>::H, K, S, P>, Out<<X as ImageAxes>::W, K, S, P>);

impl<const K: usize, const S: usize, const P: usize> MaxPool2d<K, S, P>
where
    Const<K>: PoolPadding<P>,
{
    #[track_caller]
    fn pool<X: ImageAxes, E: Float, T: Trace>(&self, x: Tensor<X, E, T>) -> Pooled<PooledShape<X, K, S, P>, E, T>
    where
        X::H: Window<K, S, P>,
        X::W: Window<K, S, P>,
    {
        let (shape, patches) = windows::<X, K, S, P>(x.shape());
        max_pool2d(x, shape, &patches)
    }

    /// The maxima and their indices, for [`MaxUnpool2d`].
    ///
    /// # Panics
    /// If the window does not fit a run-time size.
    #[track_caller]
    #[allow(clippy::type_complexity)]
    pub fn forward_with_indices<X: ImageAxes, E: Float, T: Trace>(
        &self,
        x: Tensor<X, E, T>,
    ) -> (Tensor<PooledShape<X, K, S, P>, E, T>, PoolIndices<X::N, X::C, X::H, X::W, K, S, P>)
    where
        X::H: Window<K, S, P>,
        X::W: Window<K, S, P>,
    {
        let shape = x.shape().axes();
        let (y, indices) = self.pool(x);
        (y, PoolIndices { shape, indices })
    }
}

/// Where the maxima of a [`MaxPool2d`] of an image (N, C, H, W) were. Its type ties an unpooling to its pooling.
#[derive(Clone, Debug)]
pub struct PoolIndices<
    N: Dim,
    C: Dim,
    H: Window<K, S, P>,
    W: Window<K, S, P>,
    const K: usize,
    const S: usize,
    const P: usize,
> {
    shape: (N, C, H, W),
    indices: Tensor<(N, C, H::Out, W::Out), usize>,
}

impl<N: Dim, C: Dim, H: Window<K, S, P>, W: Window<K, S, P>, const K: usize, const S: usize, const P: usize>
    PoolIndices<N, C, H, W, K, S, P>
{
    /// The upper left pixel of each window, for images of this shape: indices for [`MaxUnpool2d`] when those of the
    /// maxima are unknown. Dosovitskiy, Springenberg and Brox, "Learning to Generate Chairs with Convolutional Neural
    /// Networks", 2015.
    ///
    /// ```
    /// use taut::nn::PoolIndices;
    /// use taut::prelude::*;
    /// let corners = PoolIndices::<_, _, _, _, 2, 2, 0>::corners(<Rank4<1, 1, 2, 4>>::default());
    /// let y = MaxUnpool2d::<2>.forward((Tensor::from([[[[5.0, 6.0]]]]), corners));
    /// assert_eq!(y.to_array(), [[[[5.0, 0.0, 6.0, 0.0], [0.0; 4]]]]);
    /// ```
    ///
    /// # Panics
    /// If the window does not fit a run-time size.
    #[track_caller]
    pub fn corners(shape: (N, C, H, W)) -> Self
    where
        Const<K>: PoolPadding<P>,
    {
        let (pooled, patches) = windows::<_, K, S, P>(shape);
        let width = patches.size[1];
        let corner = |[_, _, i, j]: [usize; 4]| patches.down[i].start * width + patches.across[j].start;
        PoolIndices { shape, indices: Tensor::from_fn_with(pooled, corner) }
    }

    /// For each maximum, its index in its plane, row by row.
    pub fn indices(&self) -> &Tensor<(N, C, H::Out, W::Out), usize> {
        &self.indices
    }
}

without_trace! {
    PoolIndices<N, C, H, W, K, S, P>
    [N: Dim, C: Dim, H: Window<K, S, P>, W: Window<K, S, P>, const K: usize, const S: usize, const P: usize];
}

/// Puts maxima back to where they were, with zeros elsewhere: takes the result of [`MaxPool2d::forward_with_indices`].
///
/// Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014.
///
/// ```
/// use taut::prelude::*;
/// let x = Tensor::from([[[[1.0, 2.0, 5.0, 3.0], [4.0, 0.0, 1.0, 1.0]]]]);
/// let (maxima, indices) = MaxPool2d::<2>.forward_with_indices(x);
/// let back = MaxUnpool2d::<2>.forward((maxima, indices));
/// assert_eq!(back.to_array(), [[[[0.0, 0.0, 5.0, 0.0], [4.0, 0.0, 0.0, 0.0]]]]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct MaxUnpool2d<const K: usize, const S: usize = K, const P: usize = 0>;

impl<X, N: Dim, C: Dim, H, W, const K: usize, const S: usize, const P: usize, E: Float, T: Trace>
    Module<(Tensor<X, E, T>, PoolIndices<N, C, H, W, K, S, P>)> for MaxUnpool2d<K, S, P>
where
    X: ImageAxes<N = N, C = C, H = H::Out, W = W::Out>,
    H: Window<K, S, P>,
    W: Window<K, S, P>,
{
    type Output = Tensor<(N, C, H, W), E, T>;
    fn apply(&self, (y, places): (Tensor<X, E, T>, PoolIndices<N, C, H, W, K, S, P>)) -> Self::Output {
        let shape = y.shape().axes();
        let y = y.in_shape(shape);
        if y.shape() != places.indices.shape() {
            let (found, expected) = (show(y.shape()), show(places.indices.shape()));
            panic!("MaxUnpool2d: the image has the shape {found}, and its pooling gave {expected}");
        }
        let (_, _, height, width) = places.shape;
        let outputs = y.shape().2.size() * y.shape().3.size();
        max_unpool2d(y, places.indices, places.shape, [outputs, height.size() * width.size()])
    }
}

/// The mean under a `K` x `K` window, moved by `S`, with `P` rows and columns of zeros around the image.
///
/// Shapes as for [`MaxPool2d`]. With `COUNT_PADDING` the zeros count: every sum is divided by K K. Without, it is
/// divided by the number of pixels of the image under the window. (PyTorch calls it `count_include_pad`.)
///
/// ```
/// use taut::prelude::*;
/// let x = Tensor::from([[[[4.0, 4.0], [4.0, 4.0]]]]);
/// assert_eq!(AvgPool2d::<2, 2, 1>.forward(x.clone()).to_array(), [[[[1.0, 1.0], [1.0, 1.0]]]]);
/// assert_eq!(AvgPool2d::<2, 2, 1, false>.forward(x).to_array(), [[[[4.0, 4.0], [4.0, 4.0]]]]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct AvgPool2d<const K: usize, const S: usize = K, const P: usize = 0, const COUNT_PADDING: bool = true>;

impl<X: ImageAxes, const K: usize, const S: usize, const P: usize, const COUNT_PADDING: bool, E: Float, T: Trace>
    Module<Tensor<X, E, T>> for AvgPool2d<K, S, P, COUNT_PADDING>
where
    X::H: Window<K, S, P>,
    X::W: Window<K, S, P>,
    Const<K>: PoolPadding<P>,
{
    type Output = Tensor<PooledShape<X, K, S, P>, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let (shape, patches) = windows::<X, K, S, P>(x.shape());
        mean_pool2d(x, shape, patches, COUNT_PADDING.then_some(K * K))
    }
}

/// The mean of each of `OH` x `OW` patches that cover the image, whatever its size.
///
/// Shapes: (N, C, H, W) to (N, C, OH, OW). Patch i goes from floor(i H / OH) to ceil((i + 1) H / OH).
///
/// ```
/// use taut::prelude::*;
/// let y: Tensor<Rank4<1, 512, 7, 7>> = AdaptiveAvgPool2d::<7>.forward(Tensor::<Rank4<1, 512, 9, 12>>::ones());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct AdaptiveAvgPool2d<const OH: usize, const OW: usize = OH>;

impl<X: ImageAxes, const OH: usize, const OW: usize, E: Float, T: Trace> Module<Tensor<X, E, T>>
    for AdaptiveAvgPool2d<OH, OW>
where
    Const<OH>: AtLeastOne,
    Const<OW>: AtLeastOne,
{
    type Output = Tensor<(X::N, X::C, Const<OH>, Const<OW>), E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let (shape, patches) = parts(x.shape());
        mean_pool2d(x, shape, patches, None)
    }
}

/// The maximum of each of `OH` x `OW` patches that cover the image, as in [`AdaptiveAvgPool2d`].
///
/// ```
/// use taut::prelude::*;
/// let x = Tensor::from([[[[1.0, 2.0, 3.0, 4.0]]]]);
/// assert_eq!(AdaptiveMaxPool2d::<1, 2>.forward(x).to_array(), [[[[2.0, 4.0]]]]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct AdaptiveMaxPool2d<const OH: usize, const OW: usize = OH>;

impl<X: ImageAxes, const OH: usize, const OW: usize, E: Float, T: Trace> Module<Tensor<X, E, T>>
    for AdaptiveMaxPool2d<OH, OW>
where
    Const<OH>: AtLeastOne,
    Const<OW>: AtLeastOne,
{
    type Output = Tensor<(X::N, X::C, Const<OH>, Const<OW>), E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let (shape, patches) = parts(x.shape());
        max_pool2d(x, shape, &patches).0
    }
}

/// The mean of each channel: (N, C, H, W) to (N, C). Lin, Chen and Yan, "Network In Network", 2014.
///
/// ```
/// use taut::prelude::*;
/// let x = Tensor::from([[[[1.0, 2.0], [3.0, 6.0]]]]);
/// assert_eq!(GlobalAvgPool2d.forward(x).to_array(), [[3.0]]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct GlobalAvgPool2d;

impl<X: ImageAxes, E: Float, T: Trace> Module<Tensor<X, E, T>> for GlobalAvgPool2d {
    type Output = Tensor<(X::N, X::C), E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let shape = x.shape().axes();
        expect_pixels([shape.2.size(), shape.3.size()]);
        x.in_shape(shape).mean_axes::<(Axis<2>, Axis<3>)>()
    }
}

/// The maximum of each channel: (N, C, H, W) to (N, C).
///
/// ```
/// use taut::prelude::*;
/// let x = Tensor::from([[[[1.0, 2.0], [3.0, 6.0]]]]);
/// assert_eq!(GlobalMaxPool2d.forward(x).to_array(), [[6.0]]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct GlobalMaxPool2d;

impl<X: ImageAxes, E: Float, T: Trace> Module<Tensor<X, E, T>> for GlobalMaxPool2d {
    type Output = Tensor<(X::N, X::C), E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let (batch, channels, height, width) = x.shape().axes();
        let patches = adaptive_patches([height.size(), width.size()], [1, 1], (batch, channels).count());
        max_pool2d(x, (batch, channels), &patches).0
    }
}

#[cfg(test)]
mod tests {
    use crate::nn::PoolIndices;
    use crate::prelude::*;

    /// Well-separated numbers, so that finite differences do not change which is the maximum.
    fn distinct<S: Shape + Default>() -> Tensor<S, f64> {
        let mut i = 0_usize;
        Tensor::from_fn_with(S::default(), |_| {
            i += 1;
            (i * 7919 % 1009) as f64 / 100.0
        })
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let x = distinct::<Rank4<2, 2, 5, 6>>();
        check_gradients(|x| MaxPool2d::<2>.forward(x), x.clone()).unwrap();
        check_gradients(|x| MaxPool2d::<3, 2, 1>.forward(x), x.clone()).unwrap();
        check_gradients(|x| AvgPool2d::<2>.forward(x), x.clone()).unwrap();
        check_gradients(|x| AvgPool2d::<3, 1, 1>.forward(x), x.clone()).unwrap();
        check_gradients(|x| AvgPool2d::<3, 2, 1, false>.forward(x), x.clone()).unwrap();
        check_gradients(|x| AdaptiveAvgPool2d::<3, 4>.forward(x), x.clone()).unwrap();
        check_gradients(|x| AdaptiveMaxPool2d::<2>.forward(x), x.clone()).unwrap();
        check_gradients(|x| GlobalAvgPool2d.forward(x), x.clone()).unwrap();
        check_gradients(|x| GlobalMaxPool2d.forward(x), x.clone()).unwrap();
        check_gradients(
            |x| {
                let (y, places) = MaxPool2d::<2>.forward_with_indices(x);
                MaxUnpool2d::<2>.forward((y, places))
            },
            x,
        )
        .unwrap();
    }

    #[test]
    fn a_nan_wins_and_the_first_of_equals_gets_the_gradient() {
        let tape = Tape::inference();
        let x = tape.watch(Tensor::from([[[[1.0, 1.0], [f32::NAN, 2.0], [3.0, 3.0], [3.0, 3.0]]]]));
        let y = MaxPool2d::<2>.forward(x.clone());
        assert!(y[[0, 0, 0, 0]].is_nan());
        let gradients = y.sum().backward();
        assert_eq!(gradients.of_input(&x).to_vec(), [0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn adaptive_patches_overlap_where_the_size_does_not_divide() {
        let x = Tensor::from([[[[0.0, 1.0, 2.0, 3.0, 4.0]]]]);
        let y = AdaptiveAvgPool2d::<1, 3>.forward(x);
        assert_eq!(y.to_array(), [[[[0.5, 2.0, 3.5]]]]);
    }

    #[test]
    #[should_panic(expected = "an image of 0 x 5 pixels has nothing to pool")]
    fn an_empty_image_panics() {
        let _ = GlobalMaxPool2d.forward(Tensor::<_, f32>::zeros_with((1_usize, 3_usize, 0_usize, 5_usize)));
    }

    #[test]
    fn corners_are_the_first_pixels_of_windows() {
        let places = PoolIndices::<_, _, _, _, 3, 2, 1>::corners(<Rank4<1, 1, 5, 4>>::default());
        assert_eq!(places.indices().to_array(), [[[[0, 1], [4, 5], [12, 13]]]]);
        let y = Tensor::<Rank4<2, 3, 2, 3>>::randn(&mut StdRng::seed_from_u64(0));
        let up = MaxUnpool2d::<2>.forward((y.clone(), PoolIndices::corners(<Rank4<2, 3, 4, 6>>::default())));
        for [i, j] in [[0, 0], [1, 2]] {
            assert_eq!(up[[1, 2, 2 * i, 2 * j]], y[[1, 2, i, j]]);
        }
        assert_eq!(up.to_vec().iter().filter(|&&x| x != 0.0).count(), y.count());
    }

    #[test]
    #[should_panic(expected = "MaxUnpool2d: the image has the shape (1, 1, 1, 1), and its pooling gave (1, 1, 2, 2)")]
    fn unpooling_another_image_panics() {
        let (_, places) =
            MaxPool2d::<2>.forward_with_indices(Tensor::<_, f32>::zeros_with((1_usize, 1_usize, 4_usize, 4_usize)));
        let small = Tensor::<_, f32>::zeros_with((1_usize, 1_usize, 1_usize, 1_usize));
        let _ = MaxUnpool2d::<2>.forward((small, places));
    }
}
