//! What a network sees: which parts of an input an output depends on, and which inputs a channel responds to.
//!
//! | | result | cost, in passes |
//! | --- | --- | --- |
//! | [`saliency`] | how strongly each pixel would change the score | 1 |
//! | [`input_times_gradient`] | what each pixel contributes, to first order | 1 |
//! | [`SmoothGrad`] | the mean of gradients around the input: less noise | one per noisy sample |
//! | [`IntegratedGradients`] | attributions that sum to the change of the score from a baseline | 50 |
//! | [`guided_backpropagation`] | sharp edges; says little about the class | 1 |
//! | [`grad_cam`], [`guided_grad_cam`] | where a layer finds evidence for the class | 1, 2 |
//! | [`Occlusion`] | how the score falls where a patch is covered, without gradients | one per patch |
//! | [`feature_maps`], [`filters`] | the output of a layer; what the first layer looks for | 1, 0 |
//! | [`ActivationMaximization`] | an input to which a class or a channel responds most | one per step |
//!
//! Models need no changes, be they tuples, structs, hand-written modules or a whole
//! [`ResNet18`](crate::models::ResNet18). A layer is chosen by the path to it, `|model| &model.1`, and a path that does
//! not exist does not compile. Inputs are batches, and each sample is explained by itself. What is explained is a
//! [`Target`]: a class, or any number computed from a sample's output. Models run in inference mode: batch norm with
//! running averages, no dropout.
//!
//! Maps that look right may be wrong: [`checks`] tells whether they depend on what the model has learned.
//!
//! ```
//! use taut::explain::{Class, grad_cam, saliency};
//! use taut::prelude::*;
//!
//! type Network = ((Conv2d<1, 4, 3>, Relu, MaxPool2d<2>), Flatten, Linear<36, 10>);
//! let mut rng = StdRng::seed_from_u64(0);
//! let network = Network::init(&mut rng);
//! let images = Tensor::<Rank4<2, 1, 8, 8>>::randn(&mut rng);
//! let pixels: Tensor<Rank4<2, 1, 8, 8>> = saliency(&network, &images, Class(3));
//! let places: Tensor<Rank3<2, 8, 8>> = grad_cam(&network, |network| &network.0, &images, Class(3));
//! ```

mod activation_maximization;
mod blur;
pub mod checks;
mod feature_maps;
mod grad_cam;
mod guided_backpropagation;
mod input_times_gradient;
mod integrated_gradients;
mod occlusion;
mod passes;
mod saliency;
mod smooth_grad;
mod target;

pub use activation_maximization::ActivationMaximization;
pub use blur::blur;
pub use feature_maps::{feature_maps, filters, tiles};
pub use grad_cam::{grad_cam, grad_cam_of_layer, guided_grad_cam};
pub use guided_backpropagation::guided_backpropagation;
pub use input_times_gradient::input_times_gradient;
pub use integrated_gradients::{Integrated, IntegratedGradients};
pub use occlusion::Occlusion;
pub use passes::heatmap;
pub use saliency::saliency;
pub use smooth_grad::SmoothGrad;
pub use target::{Class, Explainable, Probability, Target};
