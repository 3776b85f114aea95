//! Models in onnxruntime: every layer over random sizes, and whole models. A Python with the packages `onnx`, `onnxruntime`
//! and `numpy` (the one that the variable `TAUT_PYTHON` names, or `python3`) checks each file with ONNX's own checker, runs
//! it, and compares what comes out with taut's outputs: `tests/onnx/check.py`. Without one, that part is skipped, which is
//! said; what the graphs are is compared with `tests/onnx/graphs.txt` by unit tests, in any case.
#![cfg(feature = "onnx")]

#[path = "onnx/cases.rs"]
mod cases;

use cases::{Cases, random};
use rand::RngExt;
use std::path::Path;
use std::process::Command;
use taut::prelude::*;

type Images<const C: usize> = (usize, Const<C>, usize, usize);
type Signals<const C: usize> = (usize, Const<C>, usize);
type Rows<const F: usize> = (usize, Const<F>);

/// Images with sizes of at least `least`.
fn images<const C: usize>(least: usize) -> impl Fn(&mut StdRng) -> Tensor<Images<C>> {
    move |rng| {
        let sizes = (rng.random_range(1..4), Const, least + rng.random_range(0..6), least + rng.random_range(0..6));
        random(sizes, rng)
    }
}

fn signals<const C: usize>(least: usize) -> impl Fn(&mut StdRng) -> Tensor<Signals<C>> {
    move |rng| random((rng.random_range(1..4), Const, least + rng.random_range(0..6)), rng)
}

fn rows<const F: usize>() -> impl Fn(&mut StdRng) -> Tensor<Rows<F>> {
    |rng| random((rng.random_range(1..6), Const), rng)
}

/// Inputs of a shape that the compiler knows.
fn fixed<S: Shape + Default>() -> impl Fn(&mut StdRng) -> Tensor<S> {
    |rng| random(S::default(), rng)
}

#[test]
fn products_and_activations() {
    let mut cases = Cases::new("products");
    cases.layer::<Linear<5, 3>, _>("linear", rows());
    cases.layer::<LinearNoBias<5, 3>, _>("linear_no_bias", rows());
    cases.layer::<Linear<5, 3>, _>("linear_fixed", fixed::<Rank2<4, 5>>());
    cases.layer::<Linear<5, 3>, _>("linear_of_a_vector", fixed::<Rank1<5>>());
    cases.layer::<Linear<5, 3>, _>("linear_of_steps", |rng| {
        random((rng.random_range(1..4), rng.random_range(1..5), Const::<5>), rng)
    });
    cases.layer::<LinearNoBias<5, 3>, _>("linear_of_four_axes", fixed::<Rank4<2, 3, 2, 5>>());
    cases.layer::<Linear<5, 3>, _>("linear_unknown_features", |rng| random((rng.random_range(1..4), 5_usize), rng));
    cases.layer::<Linear<5, 3, f64>, _>("linear_f64", |rng| {
        Tensor::<Rows<5>, f64>::normal_with((rng.random_range(1..6), Const), 0.0, 1.0, rng)
    });
    cases.layer::<Bias<4>, _>("bias", rows());
    cases.layer::<SpectralNorm<Linear<6, 4>>, _>("spectral_norm_linear", rows());
    cases.layer::<SpectralNorm<Conv2d<2, 3, 3>>, _>("spectral_norm_convolution", images(3));
    cases.layer::<SpectralNorm<SameConv2d<2, 3, 3>>, _>("spectral_norm_same", images(3));
    cases.layer::<SpectralNorm<ConvTranspose2d<2, 3, 3, 2>>, _>("spectral_norm_transposed", images(3));

    cases.layer::<Relu, _>("relu", rows::<7>());
    cases.layer::<LeakyRelu, _>("leaky_relu", rows::<7>());
    cases.layer::<Elu, _>("elu", rows::<7>());
    cases.layer::<Gelu, _>("gelu", rows::<7>());
    cases.layer::<GeluTanh, _>("gelu_tanh", rows::<7>());
    cases.layer::<Silu, _>("silu", rows::<7>());
    cases.layer::<Softplus, _>("softplus", rows::<7>());
    cases.layer::<Sigmoid, _>("sigmoid", rows::<7>());
    cases.layer::<Tanh, _>("tanh", rows::<7>());
    cases.layer::<PRelu, _>("prelu", images::<3>(2));
    cases.layer::<PRelu, _>("prelu_of_a_number", fixed::<Rank0>());
    cases.layer::<ChannelPRelu<3>, _>("channel_prelu", images(2));
    cases.layer::<ChannelPRelu<3>, _>("channel_prelu_of_rows", rows());
    cases.layer::<Softmax<1>, _>("softmax", images::<3>(2));
    cases.layer::<Softmax<0>, _>("softmax_of_a_vector", fixed::<Rank1<5>>());
    cases.layer::<LogSoftmax<1>, _>("log_softmax", rows::<5>());
    cases.model("leaky_relu_slope", &LeakyRelu { slope: 0.3 }, rows::<7>());
    cases.model("elu_alpha", &Elu { alpha: 0.7 }, rows::<7>());
    cases.check();
}

#[test]
fn convolutions() {
    let mut cases = Cases::new("convolutions");
    cases.layer::<Conv1d<2, 4, 3>, _>("conv1d", signals(3));
    cases.layer::<Conv1d<2, 4, 3, 2, 1, 2>, _>("conv1d_strided", signals(4));
    cases.layer::<Conv2d<2, 4, 3>, _>("conv2d", images(3));
    cases.layer::<Conv2d<2, 4, 3, 2, 1>, _>("conv2d_strided", images(3));
    cases.layer::<Conv2d<2, 3, 2, 1, 2, 2>, _>("conv2d_dilated", images(3));
    cases.layer::<Conv2dNoBias<2, 3, 1, 2>, _>("conv2d_no_bias", images(3));
    cases.layer::<Conv2d<2, 4, 3, 2, 1>, _>("conv2d_fixed", fixed::<Rank4<3, 2, 9, 8>>());
    cases.layer::<Conv2d<2, 4, 3, 2, 1>, _>("conv2d_any_batch", |rng| {
        random((rng.random_range(1..6), Const::<2>, Const::<9>, Const::<8>), rng)
    });
    cases.layer::<SameConv2d<2, 3, 5>, _>("same_conv2d", images(2));
    cases.layer::<GroupedConv2d<4, 6, 2, 3, 1, 1>, _>("grouped_conv2d", images(3));
    cases.layer::<GroupedConv2d<4, 4, 4, 2, 2, 1>, _>("depthwise_conv2d", images(3));
    cases.layer::<RectangularConv2d<2, 3, 1, 3, 1, 2, 0, 1>, _>("rectangular_conv2d", images(3));
    cases.layer::<RectangularConv2d<2, 3, 3, 2, 2, 1, 1, 0, 1, 2>, _>("rectangular_conv2d_dilated", images(3));
    cases.layer::<ConvTranspose2d<3, 2, 4, 2, 1>, _>("conv_transpose2d", images(3));
    cases.layer::<ConvTranspose2d<3, 2, 3, 2, 1, 1>, _>("conv_transpose2d_output_padding", images(3));
    cases.layer::<ConvTranspose2d<3, 2, 3>, _>("conv_transpose2d_fixed", fixed::<Rank4<2, 3, 4, 5>>());
    cases.check();
}

#[test]
fn pooling_and_images() {
    let mut cases = Cases::new("pooling");
    cases.layer::<MaxPool1d<2>, _>("max_pool1d", signals::<3>(3));
    cases.layer::<MaxPool1d<3, 2, 1>, _>("max_pool1d_padded", signals::<3>(3));
    cases.layer::<AvgPool1d<3, 2, 1>, _>("avg_pool1d", signals::<3>(3));
    cases.layer::<AvgPool1d<3, 2, 1, false>, _>("avg_pool1d_uncounted", signals::<3>(3));
    cases.layer::<MaxPool2d<2>, _>("max_pool2d", images::<3>(3));
    cases.layer::<MaxPool2d<3, 2, 1>, _>("max_pool2d_padded", images::<3>(3));
    cases.layer::<AvgPool2d<2>, _>("avg_pool2d", images::<3>(3));
    cases.layer::<AvgPool2d<3, 2, 1>, _>("avg_pool2d_padded", images::<3>(3));
    cases.layer::<AvgPool2d<3, 2, 1, false>, _>("avg_pool2d_uncounted", images::<3>(3));
    cases.layer::<GlobalAvgPool2d, _>("global_avg_pool2d", images::<3>(2));
    cases.layer::<GlobalMaxPool2d, _>("global_max_pool2d", images::<3>(2));
    cases.layer::<AdaptiveAvgPool2d<1>, _>("adaptive_avg_pool2d_whole", images::<3>(2));
    cases.layer::<AdaptiveMaxPool2d<1>, _>("adaptive_max_pool2d_whole", images::<3>(2));
    cases.layer::<AdaptiveAvgPool2d<3, 2>, _>("adaptive_avg_pool2d", images::<3>(1));
    cases.layer::<AdaptiveMaxPool2d<3, 2>, _>("adaptive_max_pool2d", images::<3>(1));
    cases.layer::<AdaptiveAvgPool2d<3, 2>, _>("adaptive_avg_pool2d_equal", fixed::<Rank4<2, 3, 6, 8>>());
    cases.layer::<AdaptiveMaxPool2d<3, 2>, _>("adaptive_max_pool2d_equal", fixed::<Rank4<2, 3, 6, 8>>());
    cases.layer::<AdaptiveAvgPool2d<7>, _>("adaptive_avg_pool2d_fixed", fixed::<Rank4<1, 3, 9, 12>>());
    cases.layer::<AdaptiveMaxPool2d<7>, _>("adaptive_max_pool2d_fixed", fixed::<Rank4<1, 3, 9, 12>>());
    cases.layer::<cases::Unpooled<2, 2, 0>, _>("max_unpool2d", images::<3>(2));
    cases.layer::<cases::Unpooled<3, 2, 1>, _>("max_unpool2d_overlapping", images::<3>(3));
    cases.layer::<cases::Unpooled<2, 2, 0>, _>("max_unpool2d_fixed", fixed::<Rank4<2, 3, 5, 4>>());
    cases.layer::<ZeroPad2d<2>, _>("zero_pad2d", images::<2>(2));
    cases.layer::<ReflectionPad2d<2>, _>("reflection_pad2d", images::<2>(3));
    cases.layer::<ReplicationPad2d<3>, _>("replication_pad2d", images::<2>(1));
    cases.layer::<UpsampleNearest2d<2>, _>("upsample_nearest2d", images::<2>(1));
    cases.layer::<UpsampleNearest2d<3>, _>("upsample_nearest2d_fixed", fixed::<Rank4<2, 3, 5, 4>>());
    cases.layer::<UpsampleBilinear2d<2>, _>("upsample_bilinear2d", images::<2>(1));
    cases.layer::<UpsampleBilinear2d<3>, _>("upsample_bilinear2d_thrice", images::<2>(1));
    cases.layer::<PixelShuffle<2>, _>("pixel_shuffle", images::<12>(1));
    cases.layer::<Flatten, _>("flatten", fixed::<Rank4<2, 3, 2, 2>>());
    cases.layer::<Flatten, _>("flatten_any_size", images::<3>(1));
    cases.layer::<Reshape<Rank2<4, 3>>, _>("reshape", rows::<12>());
    cases.layer::<Reshape<Rank2<4, 3>>, _>("reshape_fixed", fixed::<Rank2<5, 12>>());
    cases.check();
}

#[test]
fn normalization() {
    let mut cases = Cases::new("normalization");
    cases.layer::<BatchNorm1d<4>, _>("batch_norm1d", rows());
    cases.layer::<BatchNorm1d<4>, _>("batch_norm1d_signals", signals(1));
    cases.layer::<BatchNorm2d<4>, _>("batch_norm2d", images(1));
    cases.layer::<PlainBatchNorm1d<4>, _>("plain_batch_norm1d", rows());
    cases.layer::<PlainBatchNorm2d<4>, _>("plain_batch_norm2d", images(1));
    cases.layer::<LayerNorm<6>, _>("layer_norm", rows());
    cases.layer::<LayerNorm<6>, _>("layer_norm_fixed", fixed::<Rank3<2, 3, 6>>());
    cases.layer::<GroupNorm<2, 6>, _>("group_norm", images(2));
    cases.layer::<GroupNorm<6, 6>, _>("instance_norm", images(2));
    cases.layer::<GroupNorm<3, 6>, _>("group_norm_of_signals", signals(2));
    cases.layer::<GroupNorm<1, 6>, _>("group_norm_fixed", fixed::<Rank4<2, 6, 3, 3>>());
    let mut layer = LayerNorm::<6>::init(&mut StdRng::seed_from_u64(0));
    layer.epsilon = 0.1;
    cases.model("layer_norm_epsilon", &layer, rows());
    cases.check();
}

#[derive(Init, Module, Parameters)]
struct Derived<const N: usize> {
    #[parameters(name = "features")]
    hidden: (Linear<N, 8>, BatchNorm1d<8>, Relu),
    drop: Dropout<50>,
    output: Linear<8, 3>,
}

#[derive(Init, Module, Parameters)]
struct Around<M> {
    before: Linear<4, 4>,
    inner: M,
}

#[test]
fn models_of_every_make() {
    let mut rng = StdRng::seed_from_u64(5);
    let mut cases = Cases::new("chains");
    cases.layer::<(Linear<4, 6>, Tanh, (Linear<6, 5>, Identity), Dropout<20>), _>("tuple", rows());
    cases.layer::<[(Linear<4, 4>, Relu); 3], _>("array", rows());
    cases.layer::<Derived<5>, _>("derived", rows());
    cases.layer::<Around<[Residual<(Linear<4, 4>, Silu)>; 2]>, _>("derived_generic", rows());
    cases.layer::<Frozen<Eval<(Linear<4, 4>, BatchNorm1d<4>, Dropout<50>)>>, _>("frozen_and_eval", rows());
    cases.layer::<Autoencoder<(Linear<4, 2>, Tanh), Linear<2, 4>>, _>("autoencoder", rows());
    cases.layer::<(Identity, Dropout<50>), _>("nothing", rows::<3>());
    cases.layer::<Residual<(SameConv2d<2, 2, 3>, Dropout2d<50>)>, _>("residual_convolution", images(2));
    let list: Vec<Box<Linear<4, 4>>> = (0..3).map(|_| Init::init(&mut rng)).collect();
    cases.model("list", &list, rows());
    cases.model("option", &(None::<Linear<4, 4>>, Some(Linear::<4, 4>::init(&mut rng))), rows());
    let shared = std::sync::Arc::new(Linear::<4, 4>::init(&mut rng));
    cases.model("one_layer_twice", &(shared.clone(), Relu, shared), rows());
    cases.check();
}

#[test]
fn whole_networks_of_images() {
    type LeNet = (
        (Conv2d<1, 6, 5, 1, 2>, Relu, MaxPool2d<2>),
        (Conv2d<6, 16, 5>, Relu, MaxPool2d<2>),
        Flatten,
        (Linear<400, 120>, Relu),
        (Linear<120, 84>, Relu),
        Linear<84, 10>,
    );
    let mut cases = Cases::new("networks");
    cases.layer::<LeNet, _>("lenet", |rng| random((rng.random_range(1..9), Const::<1>, Const::<28>, Const::<28>), rng));
    cases.layer::<LeNet, _>("lenet_one_image", fixed::<Rank4<1, 1, 28, 28>>());
    cases.model("resnet18", &taut::models::ResNet18::<10>::init(&mut StdRng::seed_from_u64(3)), |rng: &mut StdRng| {
        random((rng.random_range(1..3), Const::<3>, Const::<64>, Const::<64>), rng)
    });
    cases.check();
}

/// A Python that has what `check.py` needs.
fn python() -> Option<std::ffi::OsString> {
    let python = std::env::var_os("TAUT_PYTHON").unwrap_or("python3".into());
    let imports = Command::new(&python).args(["-c", "import numpy, onnx, onnxruntime"]).output();
    imports.is_ok_and(|output| output.status.success()).then_some(python)
}

/// Runs `check.py` on a folder. Says that it was skipped if there is no Python for it.
fn check(folder: &Path) {
    let Some(python) = python() else {
        assert!(std::env::var_os("TAUT_PYTHON").is_none(), "TAUT_PYTHON has no numpy, onnx and onnxruntime");
        eprintln!("skipped: no Python with numpy, onnx and onnxruntime (TAUT_PYTHON names one)");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx/check.py");
    let output = Command::new(python).arg(script).arg(folder).output().unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{errors}");
    println!("{said}");
}
