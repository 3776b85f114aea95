//! Grad-CAM: where a layer finds evidence for the score.
//!
//! For the activation A of a layer, (N, K, h, w), and the score s of a sample:
//!
//! w_k = mean over pixels of ds/dA_k; map = max(0, sum_k w_k A_k), enlarged to the size of the image

use super::passes::sum;
use super::{Explainable, Target, guided_backpropagation};
use crate::nn::{Forward, frozen};
use crate::ops::{image_size, resample2d};
use crate::shape::{Dim, show_sizes};
use crate::tensor::Tensor;
use crate::trace::Tape;

/// Where the layer finds evidence for the score: the sum of its channels, each weighted by the score's mean gradient
/// with respect to it.
///
/// Choose a layer whose output is images, (N, K, h, w), usually the last such layer: `|model| &model.1`. The map, (N,
/// h, w), is interpolated to the size of the input, (N, H, W). Selvaraju et al., "Grad-CAM: Visual Explanations from
/// Deep Networks via Gradient-based Localization", 2017.
///
/// # Panics
/// If the layer did not run exactly once, or its output is not images.
///
/// ```
/// use taut::explain::{Class, grad_cam};
/// use taut::models::CifarResNet18;
/// use taut::prelude::*;
/// # // a whole ResNet is slow without optimisation
/// # fn main() {}
/// fn last_block(network: &CifarResNet18<10>, images: &Tensor<Rank4<8, 3, 32, 32>>) -> Tensor<Rank3<8, 32, 32>> {
///     grad_cam(network, |network| &network.layer4, images, Class(3))
/// }
/// ```
#[track_caller]
pub fn grad_cam<M, L, B, C, H, W, G>(
    model: &M,
    layer: impl Fn(&M) -> &L,
    images: &Tensor<(B, C, H, W)>,
    target: G,
) -> Tensor<(B, H, W)>
where
    B: Dim,
    C: Dim,
    H: Dim,
    W: Dim,
    L: ?Sized,
    M: Explainable<(B, C, H, W)>,
    G: Target<M::Output, B>,
{
    let map = grad_cam_of_layer(model, layer, images, target);
    let (batch, _, height, width) = images.shape();
    let (samples, h, w) = map.shape();
    enlarge(map.reshape_with((samples, 1_usize, h, w)), [height.size(), width.size()])
        .reshape_with((batch, height, width))
}

/// Like [`grad_cam`], but at the resolution of the layer: (N, h, w).
///
/// # Panics
/// If the layer did not run exactly once, or its output is not images.
#[track_caller]
pub fn grad_cam_of_layer<M, L, B, C, H, W, G>(
    model: &M,
    layer: impl Fn(&M) -> &L,
    images: &Tensor<(B, C, H, W)>,
    target: G,
) -> Tensor<(usize, usize, usize)>
where
    B: Dim,
    C: Dim,
    H: Dim,
    W: Dim,
    L: ?Sized,
    M: Explainable<(B, C, H, W)>,
    G: Target<M::Output, B>,
{
    let tape = Tape::inference();
    let seen = tape.observe(layer(model));
    // for the layer to get a gradient, something before it must require one
    let output = frozen(model).forward(tape.watch(images.clone()));
    let activation: super::target::OnTape<(usize, usize, usize, usize)> = seen.value();
    let gradient = sum(target.scores(output)).backward().of_input(&activation);
    let (samples, channels, h, w) = activation.shape();
    let pixels = h * w;
    if samples != images.shape().0.size() || pixels == 0 {
        let found = show_sizes(&[samples, channels, h, w]);
        panic!("grad_cam: the layer gives {found}, and not an image for each of the batch");
    }
    let mut map = Tensor::zeros_with((samples, h, w));
    let planes = activation.as_slice().chunks_exact(pixels).zip(gradient.as_slice().chunks_exact(pixels));
    for (place, (plane, gradient)) in planes.enumerate() {
        let weight = gradient.iter().sum::<f32>() / pixels as f32;
        let out = &mut map.as_mut_slice()[place / channels * pixels..][..pixels];
        out.iter_mut().zip(plane).for_each(|(out, a)| *out += weight * a);
    }
    map.relu()
}

/// The product of [`guided_backpropagation`] and [`grad_cam`], with the shape of the images.
///
/// # Panics
/// If the layer did not run exactly once, or its output is not images.
#[track_caller]
pub fn guided_grad_cam<M, L, B, C, H, W, G>(
    model: &M,
    layer: impl Fn(&M) -> &L,
    images: &Tensor<(B, C, H, W)>,
    target: G,
) -> Tensor<(B, C, H, W)>
where
    B: Dim,
    C: Dim,
    H: Dim,
    W: Dim,
    L: ?Sized,
    M: Explainable<(B, C, H, W)>,
    G: Target<M::Output, B>,
{
    let map = grad_cam(model, layer, images, |output| target.scores(output));
    let mut guided = guided_backpropagation(model, images, |output| target.scores(output));
    let (_, channels, height, width) = images.shape();
    let (channels, pixels) = (channels.size(), height.size() * width.size());
    for (place, plane) in guided.as_mut_slice().chunks_exact_mut(pixels.max(1)).enumerate() {
        let map = &map.as_slice()[place / channels * pixels..][..pixels];
        plane.iter_mut().zip(map).for_each(|(g, map)| *g *= map);
    }
    guided
}

/// Images interpolated to another size, with the outer edges aligned, like PyTorch's `interpolate` with `bilinear`.
fn enlarge(images: Tensor<(usize, usize, usize, usize)>, to: [usize; 2]) -> Tensor<(usize, usize, usize, usize)> {
    let size = image_size(images.shape());
    let (samples, channels, ..) = images.shape();
    let taps = |place: usize, from: usize, to: usize| {
        let source = ((place as f64 + 0.5) * from as f64 / to as f64 - 0.5).max(0.0);
        let left = (source as usize).min(from - 1);
        let weight = source - left as f64;
        [(left, (1.0 - weight) as f32), ((left + 1).min(from - 1), weight as f32)]
    };
    resample2d(images, (samples, channels, to[0], to[1]), size, to, taps)
}
