//! Convolution, pooling and normalisation against PyTorch, forward and backward, in f32 and f64.

mod common;

use common::{Case, Entry, F32, F64, case};
use taut::nn::BatchNormOptions;
use taut::nn::NoBias;
use taut::params::ValuesMut;
use taut::prelude::*;

/// Convolutions: `conv!("name", x shape, Layer with E, or with E and NoBias)`.
macro_rules! conv {
    ($name:literal, $x:ty, $layer:ident<$($argument:literal),*>) => {{
        conv!(@one $name, $x, f64, F64, $layer<$($argument,)* f64>);
        conv!(@one $name, $x, f32, 4.0 * F32, $layer<$($argument,)* f32>);
    }};
    ($name:literal, $x:ty, $layer:ident<$($argument:literal),*> without bias) => {{
        conv!(@no_bias $name, $x, f64, F64, $layer<$($argument,)* f64, NoBias>);
        conv!(@no_bias $name, $x, f32, 4.0 * F32, $layer<$($argument,)* f32, NoBias>);
    }};
    (@one $name:literal, $x:ty, $element:ty, $tolerance:expr, $layer:ty) => {{
        let case = case("convolution", $name);
        let mut layer = <$layer>::init(&mut StdRng::seed_from_u64(0));
        *layer.bias.value_mut() = case.input(2);
        let gradients = conv!(@run case, layer, $x, $element, $tolerance);
        case.expect_gradient(2, &gradients.of(&layer.bias), $tolerance);
    }};
    (@no_bias $name:literal, $x:ty, $element:ty, $tolerance:expr, $layer:ty) => {{
        let case = case("convolution", $name);
        let mut layer = <$layer>::init(&mut StdRng::seed_from_u64(0));
        let _ = conv!(@run case, layer, $x, $element, $tolerance);
    }};
    (@run $case:ident, $layer:ident, $x:ty, $element:ty, $tolerance:expr) => {{
        *$layer.weight.value_mut() = $case.input(1);
        let tape = Tape::training(&mut StdRng::seed_from_u64(0));
        let x = tape.watch($case.input::<$x, $element>(0));
        let y = $layer.forward(x.clone());
        $case.expect_output(&y, $tolerance);
        let gradients = y.vector_jacobian($case.upstream());
        $case.expect_gradient(0, &gradients.of_input(&x), $tolerance);
        $case.expect_gradient(1, &gradients.of(&$layer.weight), $tolerance);
        gradients
    }};
}

#[test]
fn convolutions() {
    conv!("plain", Rank4<2, 1, 4, 5>, Conv2d<1, 2, 3, 1, 0, 1>);
    conv!("stride", Rank4<2, 2, 6, 5>, Conv2d<2, 3, 3, 2, 1, 1>);
    conv!("floor", Rank4<1, 2, 8, 6>, Conv2d<2, 2, 3, 3, 0, 1>);
    conv!("wide padding", Rank4<1, 1, 2, 3>, Conv2d<1, 2, 3, 1, 2, 1>);
    conv!("dilation", Rank4<2, 2, 6, 7>, Conv2d<2, 2, 3, 1, 1, 2> without bias);
    conv!("pointwise", Rank4<2, 3, 3, 2>, Conv2d<3, 4, 1, 1, 0, 1>);
    conv!("pointwise stride", Rank4<2, 3, 5, 4>, Conv2d<3, 2, 1, 2, 0, 1>);
    conv!("five", Rank4<1, 2, 6, 6>, Conv2d<2, 2, 5, 1, 2, 1>);
    conv!("same", Rank4<2, 2, 3, 4>, SameConv2d<2, 3, 3>);
    conv!("groups", Rank4<2, 4, 4, 4>, GroupedConv2d<4, 6, 2, 3, 1, 1, 1>);
    conv!("depthwise", Rank4<2, 3, 5, 4>, GroupedConv2d<3, 3, 3, 3, 2, 1, 1>);
    conv!("multiplier", Rank4<1, 2, 4, 4>, GroupedConv2d<2, 4, 2, 2, 1, 0, 2>);
    conv!("rectangular", Rank4<2, 2, 3, 6>, RectangularConv2d<2, 2, 1, 3, 1, 2, 0, 1, 1, 1>);
    conv!("sequence", Rank3<2, 2, 8>, Conv1d<2, 3, 3, 2, 1, 1>);
    conv!("sequence dilation", Rank3<1, 2, 9>, Conv1d<2, 2, 3, 1, 0, 3>);
}

#[test]
fn transposed_convolutions() {
    conv!("transposed", Rank4<2, 3, 3, 2>, ConvTranspose2d<3, 2, 4, 2, 1, 0>);
    conv!("transposed output padding", Rank4<1, 2, 2, 3>, ConvTranspose2d<2, 3, 3, 2, 1, 1>);
    conv!("transposed apart", Rank4<1, 2, 2, 2>, ConvTranspose2d<2, 1, 2, 3, 0, 0> without bias);
    conv!("transposed dense", Rank4<2, 2, 3, 3>, ConvTranspose2d<2, 2, 3, 1, 0, 0>);
}

/// A layer without parameters on the one input of a case.
macro_rules! plain {
    ($name:literal, $x:ty, |$input:ident| $output:expr) => {{
        case("pooling", $name).check::<(Tensor<$x, f64>,), _, _>(F64, |($input,)| $output);
        case("pooling", $name).check::<(Tensor<$x, f32>,), _, _>(4.0 * F32, |($input,)| $output);
    }};
}

#[test]
fn pooling() {
    type X = Rank4<2, 2, 7, 6>;
    plain!("max", X, |x| MaxPool2d::<2>.forward(x));
    plain!("max overlapping", X, |x| MaxPool2d::<3, 2, 1>.forward(x));
    plain!("max apart", X, |x| MaxPool2d::<2, 3>.forward(x));
    plain!("mean", X, |x| AvgPool2d::<2>.forward(x));
    plain!("mean overlapping", X, |x| AvgPool2d::<3, 2, 1>.forward(x));
    plain!("adaptive mean", X, |x| AdaptiveAvgPool2d::<3, 4>.forward(x));
    plain!("adaptive max", X, |x| AdaptiveMaxPool2d::<2, 5>.forward(x));
    plain!("global mean", X, |x| GlobalAvgPool2d.forward(x));
    plain!("global max", X, |x| GlobalMaxPool2d.forward(x));
    plain!("unpool", X, |x| MaxUnpool2d::<2>.forward(MaxPool2d::<2>.forward_with_indices(x)));
}

#[test]
fn enlarging_and_padding() {
    plain!("nearest", Rank4<1, 1, 3, 2>, |x| UpsampleNearest2d::<3>.forward(x));
    plain!("bilinear", Rank4<1, 2, 3, 4>, |x| UpsampleBilinear2d::<2>.forward(x));
    plain!("bilinear three", Rank4<1, 1, 2, 3>, |x| UpsampleBilinear2d::<3>.forward(x));
    plain!("pad zero", Rank4<1, 2, 3, 4>, |x| ZeroPad2d::<2>.forward(x));
    plain!("pad reflect", Rank4<1, 2, 3, 4>, |x| ReflectionPad2d::<2>.forward(x));
    plain!("pad replicate", Rank4<1, 2, 3, 4>, |x| ReplicationPad2d::<2>.forward(x));
    plain!("shuffle", Rank4<2, 8, 2, 3>, |x| PixelShuffle::<2>.forward(x));
}

/// A normalisation whose weight and bias are inputs 1 and 2.
macro_rules! normalization {
    ($name:literal, $x:ty, $element:ty, $tolerance:expr, $layer:expr, $tape:expr) => {{
        let case = case("normalization", $name);
        let mut layer = $layer;
        *layer.weight.value_mut() = case.input(1);
        *layer.bias.value_mut() = case.input(2);
        let tape = $tape;
        let x = tape.watch(case.input::<$x, $element>(0));
        let y = layer.forward(x.clone());
        case.expect_output(&y, $tolerance);
        let gradients = y.vector_jacobian(case.upstream());
        case.expect_gradient(0, &gradients.of_input(&x), $tolerance);
        case.expect_gradient(1, &gradients.of(&layer.weight), $tolerance);
        case.expect_gradient(2, &gradients.of(&layer.bias), $tolerance);
        (case, layer, gradients)
    }};
}

/// A batch norm with running statistics, which are compared after a step.
macro_rules! batch_norm {
    ($name:literal, $x:ty, $layer:ident<$channels:literal>, $tape:expr) => {{
        batch_norm!(@one $name, $x, f64, F64, $layer<$channels, f64>, $tape);
        batch_norm!(@one $name, $x, f32, 4.0 * F32, $layer<$channels, f32>, $tape);
    }};
    (@one $name:literal, $x:ty, $element:ty, $tolerance:expr, $layer:ty, $tape:expr) => {{
        let before = case("normalization", $name);
        let mut layer = <$layer>::init(&mut StdRng::seed_from_u64(0));
        *layer.running_mean.value_mut() = before.parameter_tensor("mean before");
        *layer.running_var.value_mut() = before.parameter_tensor("var before");
        let (case, mut layer, gradients) = normalization!($name, $x, $element, $tolerance, layer, $tape);
        Sgd::new(SgdConfig::default()).step(&mut layer, &gradients);
        case.expect_parameter("mean after", layer.running_mean.value(), $tolerance);
        case.expect_parameter("var after", layer.running_var.value(), $tolerance);
    }};
}

#[test]
fn batch_norms() {
    let training = || Tape::training(&mut StdRng::seed_from_u64(0));
    batch_norm!("batch training", Rank4<3, 2, 3, 4>, BatchNorm2d<2>, training());
    batch_norm!("batch inference", Rank4<3, 2, 3, 4>, BatchNorm2d<2>, Tape::inference());
    batch_norm!("features training", Rank2<5, 3>, BatchNorm1d<3>, training());
    batch_norm!("sequence training", Rank3<2, 3, 4>, BatchNorm1d<3>, training());
}

/// Other values of momentum and epsilon, and two passes through one layer: the second continues the averages of the
/// first.
#[test]
fn batch_norm_with_options() {
    fn run<E: Float + Entry>(tolerance: f64) {
        let before = case("normalization", "batch with options");
        let options = BatchNormOptions { momentum: 0.25, epsilon: 0.5, ..Default::default() };
        let mut layer = BatchNorm2d::<3, E> { options, ..BatchNorm2d::init(&mut StdRng::seed_from_u64(0)) };
        *layer.running_mean.value_mut() = before.parameter_tensor("mean before");
        *layer.running_var.value_mut() = before.parameter_tensor("var before");
        *layer.weight.value_mut() = before.input(1);
        *layer.bias.value_mut() = before.input(2);
        let tape = Tape::training(&mut StdRng::seed_from_u64(0));
        let x = tape.watch(before.input::<Rank4<2, 3, 2, 3>, E>(0));
        let y = layer.forward(layer.forward(x.clone()));
        before.expect_output(&y, tolerance);
        let gradients = y.vector_jacobian(before.upstream());
        before.expect_gradient(0, &gradients.of_input(&x), tolerance);
        before.expect_gradient(1, &gradients.of(&layer.weight), tolerance);
        before.expect_gradient(2, &gradients.of(&layer.bias), tolerance);
        Sgd::new(SgdConfig::default()).step(&mut layer, &gradients);
        before.expect_parameter("mean after", layer.running_mean.value(), tolerance);
        before.expect_parameter("var after", layer.running_var.value(), tolerance);
    }
    run::<f64>(F64);
    run::<f32>(16.0 * F32);
}

#[test]
fn batch_norm_without_affine() {
    fn run<E: Float + Entry>(tolerance: f64) {
        let case = case("normalization", "batch without affine");
        let layer = BatchNorm2dNoAffine::<3, E>::init(&mut StdRng::seed_from_u64(0));
        case.check::<(Tensor<Rank4<2, 3, 2, 3>, E>,), _, _>(tolerance, |(x,)| layer.forward(x));
    }
    run::<f64>(F64);
    run::<f32>(8.0 * F32);
}

#[test]
fn norms_of_samples() {
    fn run<E: Float + Entry>(tolerance: f64) {
        let mut rng = StdRng::seed_from_u64(0);
        let _ =
            normalization!("layer", Rank3<2, 3, 5>, E, tolerance, LayerNorm::<5, E>::init(&mut rng), Tape::inference());
        let group = GroupNorm::<2, 4, E>::init(&mut rng);
        let _ = normalization!("group", Rank4<2, 4, 3, 2>, E, tolerance, group, Tape::inference());
        let instance = GroupNorm::<4, 4, E>::init(&mut rng);
        let _ = normalization!("instance", Rank4<2, 4, 3, 2>, E, tolerance, instance, Tape::inference());
    }
    run::<f64>(F64);
    run::<f32>(8.0 * F32);
}

/// A layer normalised by its largest singular value, run twice in training and once in inference; `more` compares the
/// rest of the case.
macro_rules! spectral_norm {
    ($name:literal, $x:ty, $layer:ty) => {
        spectral_norm!(
            @with $name,
            $layer,
            |case: &Case, tape: &Tape<Training>| tape.watch(case.input::<$x, f64>(0)),
            |_: &Case| Tensor::<$x, f64>::ones(),
            |case: &Case, layer: &$layer, x: &Tensor<$x, f64, Traced<Training>>, gradients: &Gradients| {
                case.expect_gradient(0, &gradients.of_input(x), F64);
                case.expect_parameter("gradient of bias", &gradients.of(&layer.bias), F64);
            }
        )
    };
    (@with $name:literal, $layer:ty, $bring:expr, $ones:expr, $more:expr) => {{
        let case = case("spectral_norm", $name);
        let mut rng = StdRng::seed_from_u64(0);
        let mut layer = SpectralNorm::<$layer>::init(&mut rng);
        layer.layer.for_each_parameter_mut(|name, leaf| match leaf.values {
            ValuesMut::F64(values) => values.copy_from_slice(&case.parameter_values(name, leaf.sizes)),
            ValuesMut::F32(_) => unreachable!(),
        });
        *layer.u.value_mut() = case.parameter_tensor("u");
        *layer.v.value_mut() = case.parameter_tensor("v");
        let tape = Tape::training(&mut rng);
        let x = $bring(&case, &tape);
        let y = layer.forward(x.clone()) + layer.forward(x.clone()) * 2.0;
        case.expect_output(&y, F64);
        let gradients = y.vector_jacobian(case.upstream());
        case.expect_parameter("gradient of weight", &gradients.of(&layer.layer.weight), F64);
        $more(&case, &layer.layer, &x, &gradients);
        Sgd::new(SgdConfig { learning_rate: 0.0, ..Default::default() }).step(&mut layer, &gradients);
        case.expect_parameter("u after", layer.u.value(), F64);
        case.expect_parameter("v after", layer.v.value(), F64);
        case.expect_parameter("inference", &layer.forward($ones(&case)), F64);
    }};
}

#[test]
fn spectral_norms() {
    spectral_norm!("linear", Rank2<2, 4>, Linear<4, 3, f64>);
    spectral_norm!("convolution", Rank4<2, 2, 4, 3>, Conv2d<2, 3, 3, 1, 0, 1, f64>);
    spectral_norm!("same convolution", Rank4<2, 2, 4, 3>, SameConv2d<2, 3, 3, f64>);
    spectral_norm!("sequence convolution", Rank3<2, 2, 5>, Conv1d<2, 3, 3, 2, 1, 1, f64>);
    spectral_norm!("grouped convolution", Rank4<2, 4, 4, 3>, GroupedConv2d<4, 6, 2, 3, 1, 1, 1, f64>);
    spectral_norm!(
        "rectangular convolution",
        Rank4<2, 2, 4, 3>,
        RectangularConv2d<2, 3, 1, 3, 1, 1, 0, 1, 1, 1, f64>
    );
    spectral_norm!("transposed convolution", Rank4<2, 2, 3, 2>, ConvTranspose2d<2, 3, 4, 2, 1, 0, f64>);
    spectral_norm!(
        @with "embedding",
        Embedding<5, 4, f64>,
        |case: &Case, tape: &Tape<Training>| tape.trace(case.input::<Rank2<2, 3>, usize>(0)),
        |case: &Case| case.input::<Rank2<2, 3>, usize>(0),
        |_: &Case, _: &Embedding<5, 4, f64>, _: &Tensor<_, usize, _>, _: &Gradients| ()
    );
}
