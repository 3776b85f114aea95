//! The outputs of a layer, and the filters of the first layer.

use super::Explainable;
use super::target::OnTape;
use crate::nn::{Forward, frozen};
use crate::numbers::range::{at_least_one, expect};
use crate::params::Param;
use crate::shape::{Dim, HasAxis, Rank4};
use crate::tensor::Tensor;
use crate::trace::Tape;

/// The output of a layer for each input of a batch, with the shape that is asked for: feature maps, (N, K, h, w), or
/// any other. Use it for pictures like those of [`filters`], or for the features of a trained network. See also
/// [`Tape::observe`](crate::trace::Tape::observe), which lets gradients through.
///
/// # Panics
/// If the layer did not run exactly once, or its output has another shape.
///
/// ```
/// use taut::explain::feature_maps;
/// use taut::prelude::*;
/// type Network = ((Conv2d<1, 4, 3>, Relu), MaxPool2d<2>, Flatten, Linear<36, 10>);
/// let network = Network::init(&mut StdRng::seed_from_u64(0));
/// let images = Tensor::<Rank4<2, 1, 8, 8>>::ones();
/// let maps: Tensor<Rank4<2, 4, 6, 6>> = feature_maps(&network, |network| &network.0, &images);
/// ```
#[track_caller]
pub fn feature_maps<M, L, S, O>(model: &M, layer: impl Fn(&M) -> &L, inputs: &Tensor<S>) -> Tensor<O>
where
    S: HasAxis<0>,
    O: crate::shape::Shape,
    L: ?Sized,
    M: Explainable<S>,
{
    let tape = Tape::inference();
    let seen = tape.observe(layer(model));
    let _ = frozen(model).forward(tape.trace(inputs.clone()));
    let value: OnTape<O> = seen.value();
    value.detach()
}

/// The filters of a convolution as pictures: each from 0 to 1, where 0.5 stands for a weight of 0, so that bright
/// pixels are those a filter wants bright. The shape is (O, I, K, K): grayscale pictures if I is 1, colour pictures if
/// I is 3.
///
/// ```
/// use taut::explain::filters;
/// use taut::prelude::*;
/// let layer = Conv2d::<3, 8, 5>::init(&mut StdRng::seed_from_u64(0));
/// let pictures: Tensor<Rank4<8, 3, 5, 5>> = filters(&layer.weight);
/// assert!(pictures.iter().all(|x| (0.0..=1.0).contains(&x)));
/// ```
pub fn filters<const O: usize, const I: usize, const KH: usize, const KW: usize>(
    weight: &Param<Rank4<O, I, KH, KW>>,
) -> Tensor<Rank4<O, I, KH, KW>> {
    let mut pictures = weight.value().clone();
    for filter in pictures.as_mut_slice().chunks_exact_mut((I * KH * KW).max(1)) {
        let largest = filter.iter().fold(f32::MIN_POSITIVE, |largest, x| largest.max(x.abs()));
        filter.iter_mut().for_each(|x| *x = 0.5 + 0.5 * *x / largest);
    }
    pictures
}

/// Images arranged in a grid with `columns` columns, separated by one pixel of value 1: (N, H, W) to one (height,
/// width).
///
/// ```
/// use taut::explain::tiles;
/// use taut::prelude::*;
/// assert_eq!(tiles(&Tensor::<Rank3<5, 4, 4>>::zeros(), 3).shape(), (9, 14));
/// ```
///
/// # Panics
/// If there are no columns.
#[doc(alias = "make_grid")]
#[track_caller]
pub fn tiles<N: Dim, H: Dim, W: Dim>(images: &Tensor<(N, H, W)>, columns: usize) -> Tensor<(usize, usize)> {
    expect(at_least_one("tiles", "columns", columns));
    let (count, height, width) = images.shape();
    let (count, height, width) = (count.size(), height.size(), width.size());
    let (across, down) = (columns.min(count.max(1)), count.div_ceil(columns));
    let shape = ((down * (height + 1)).saturating_sub(1), across * (width + 1) - 1);
    Tensor::from_fn_with(shape, |[row, column]| {
        let (image, i, j) =
            (row / (height + 1) * columns + column / (width + 1), row % (height + 1), column % (width + 1));
        if i < height && j < width && image < count { images[[image, i, j]] } else { 1.0 }
    })
}
