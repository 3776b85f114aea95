//! Layers with random arguments on images of random sizes against PyTorch: forward and backward, in f32 and f64.
//!
//! The types are those that `sweep` in `tests/pytorch/generate.py` drew. Inputs are computed on both sides, and two
//! weighted sums of every result are compared.

mod common;

use common::{Case, F32, F64, cases, hashed};
use serde_json::Value;
use std::sync::LazyLock;
use taut::prelude::*;

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| cases("sweep"));

/// Images and sequences of the sizes in the file, channels included.
type Images = (usize, usize, usize, usize);
type Sequences = (usize, usize, usize);

fn filled<S: Shape, E: Float>(place: usize, shape: S) -> Tensor<S, E> {
    let mut i = 0..;
    Tensor::from_fn_with(shape, |_| E::of(hashed(place, i.next().expect("endless"))))
}

fn sizes(value: &Value) -> Vec<usize> {
    serde_json::from_value(value.clone()).expect("sizes")
}

/// Compares the weighted sums of `found` with PyTorch's. The tolerance is relative to the sum of absolute values.
#[track_caller]
fn expect<S: Shape, E: Float, T: Trace>(what: &str, found: &Tensor<S, E, T>, sums: &Value, tolerance: f64) {
    for (place, expected) in [21, 22].into_iter().zip(sums.as_array().expect("two sums")) {
        let terms: Vec<f64> = found.iter().enumerate().map(|(i, x)| x.as_f64() * hashed(place, i)).collect();
        let (sum, size) = (terms.iter().sum::<f64>(), terms.iter().map(|x| x.abs()).sum::<f64>());
        let expected = expected.as_f64().expect("a number");
        assert!((sum - expected).abs() <= tolerance * (1.0 + size), "{what}: {sum}, and PyTorch has {expected}");
    }
}

/// Runs all cases of one layer; returns their number.
#[track_caller]
fn run<S: Shape, O: Shape, E: Float>(
    name: &str,
    tolerance: f64,
    forward: impl Fn(Tensor<S, E, Traced<Training>>) -> Tensor<O, E, Traced<Training>>,
    expect_parameters: impl Fn(&Gradients, &Value),
) -> usize {
    let mine: Vec<_> = CASES.iter().filter(|case| case.name() == name).collect();
    for case in &mine {
        let shape = sizes(&case["shape"]);
        let name = format!("{name} on {shape:?}");
        let tape = Tape::training(&mut StdRng::seed_from_u64(0));
        let x = tape.watch(filled(11, S::from_sizes(&shape).expect("sizes that the layer takes")));
        let y = forward(x.clone());
        assert_eq!(y.shape().sizes().as_ref(), sizes(&case["output_shape"]), "{name}");
        expect(&name, &y, &case["output"], tolerance);
        let upstream = filled(20, y.shape());
        let gradients = y.vector_jacobian(upstream);
        expect(&format!("{name}, x"), &gradients.of_input(&x), &case["gradients"][0], tolerance);
        expect_parameters(&gradients, &case["gradients"]);
    }
    assert!(!mine.is_empty(), "{name} is not in the file");
    mine.len()
}

/// Layers with a weight and a bias.
macro_rules! with_parameters {
    ($images:ty: $($layer:ident<$($argument:literal),*>;)*) => {{
        let mut count = 0;
        $(
            let name = format!("{}<{}>", stringify!($layer), [$(stringify!($argument)),*].join(", "));
            count += with_parameters!(@one name, $images, f64, F64, $layer<$($argument,)* f64>);
            with_parameters!(@one name, $images, f32, 4.0 * F32, $layer<$($argument,)* f32>);
        )*
        count
    }};
    (@one $name:ident, $images:ty, $element:ty, $tolerance:expr, $layer:ty) => {{
        let mut layer = <$layer>::init(&mut StdRng::seed_from_u64(0));
        *layer.weight.value_mut() = filled(12, layer.weight.shape());
        *layer.bias.value_mut() = filled(13, layer.bias.shape());
        run::<$images, _, $element>(&$name, $tolerance, |x| layer.forward(x), |gradients, expected| {
            expect(&format!("{}, weight", $name), &gradients.of(&layer.weight), &expected[1], $tolerance);
            expect(&format!("{}, bias", $name), &gradients.of(&layer.bias), &expected[2], $tolerance);
        })
    }};
}

/// Layers that have only arguments.
macro_rules! without_parameters {
    ($images:ty: $($layer:ident<$($argument:literal),*>;)*) => {{
        let mut count = 0;
        $(
            let name = format!("{}<{}>", stringify!($layer), [$(stringify!($argument)),*].join(", "));
            count += run::<$images, _, f64>(&name, F64, |x| $layer::<$($argument),*>.forward(x), |_, _| {});
            run::<$images, _, f32>(&name, 4.0 * F32, |x| $layer::<$($argument),*>.forward(x), |_, _| {});
        )*
        count
    }};
}

/// Pooling and its unpooling.
macro_rules! unpooling {
    ($(<$($argument:literal),*>;)*) => {{
        let mut count = 0;
        $(
            let name = format!("MaxUnpool2d<{}>", [$(stringify!($argument)),*].join(", "));
            let pooled = |x| MaxPool2d::<$($argument),*>.forward_with_indices(x);
            let there_and_back = |x| MaxUnpool2d::<$($argument),*>.forward(pooled(x));
            count += run::<Images, _, f64>(&name, F64, there_and_back, |_, _| {});
        )*
        count
    }};
}

#[test]
fn layers_of_random_arguments() {
    let mut count = with_parameters! { Images:
        Conv2d<4, 4, 5, 2, 3, 1>;
        Conv2d<3, 2, 3, 1, 0, 1>;
        Conv2d<2, 3, 4, 3, 1, 2>;
        Conv2d<2, 4, 2, 1, 1, 2>;
        Conv2d<1, 3, 3, 2, 0, 2>;
        Conv2d<3, 2, 1, 3, 2, 3>;
        Conv2d<1, 3, 2, 2, 2, 2>;
        Conv2d<2, 3, 5, 2, 0, 3>;
        Conv2d<3, 1, 3, 1, 0, 3>;
        Conv2d<1, 3, 5, 2, 3, 3>;
        Conv2d<2, 4, 2, 1, 2, 2>;
        Conv2d<2, 2, 1, 3, 2, 3>;
        Conv2d<3, 3, 2, 1, 0, 2>;
        Conv2d<4, 1, 3, 3, 0, 1>;
        Conv2d<4, 4, 2, 1, 1, 2>;
        Conv2d<1, 1, 1, 1, 1, 2>;
        SameConv2d<2, 1, 1>;
        SameConv2d<3, 5, 7>;
        SameConv2d<3, 2, 7>;
        SameConv2d<1, 2, 3>;
        GroupedConv2d<12, 8, 4, 3, 1, 0, 1>;
        GroupedConv2d<4, 6, 2, 1, 2, 0, 2>;
        GroupedConv2d<4, 2, 2, 4, 3, 0, 2>;
        GroupedConv2d<8, 12, 4, 1, 3, 2, 1>;
        GroupedConv2d<2, 6, 2, 1, 1, 1, 2>;
        GroupedConv2d<4, 12, 4, 1, 1, 1, 1>;
        GroupedConv2d<6, 9, 3, 1, 2, 2, 2>;
        GroupedConv2d<4, 8, 4, 2, 1, 2, 2>;
        GroupedConv2d<4, 4, 4, 3, 3, 1, 1>;
        GroupedConv2d<12, 12, 4, 4, 2, 0, 1>;
        GroupedConv2d<8, 4, 4, 4, 3, 0, 1>;
        GroupedConv2d<3, 1, 1, 1, 3, 2, 2>;
        RectangularConv2d<1, 1, 1, 1, 1, 2, 2, 1, 2, 3>;
        RectangularConv2d<3, 3, 2, 2, 2, 2, 2, 1, 1, 1>;
        RectangularConv2d<3, 3, 3, 1, 2, 2, 1, 1, 1, 1>;
        RectangularConv2d<1, 2, 3, 3, 3, 1, 2, 1, 3, 3>;
        RectangularConv2d<3, 2, 4, 4, 3, 1, 1, 2, 2, 2>;
        RectangularConv2d<2, 2, 2, 3, 1, 2, 2, 1, 1, 2>;
        RectangularConv2d<1, 2, 2, 3, 1, 3, 2, 2, 3, 3>;
        RectangularConv2d<2, 3, 2, 1, 2, 2, 1, 1, 1, 2>;
        RectangularConv2d<1, 2, 3, 2, 1, 1, 1, 1, 1, 3>;
        RectangularConv2d<1, 2, 3, 1, 1, 2, 1, 2, 1, 3>;
        ConvTranspose2d<2, 2, 2, 1, 0, 0>;
        ConvTranspose2d<1, 3, 4, 1, 0, 0>;
        ConvTranspose2d<4, 3, 4, 1, 1, 0>;
        ConvTranspose2d<1, 4, 5, 3, 1, 2>;
        ConvTranspose2d<2, 1, 4, 1, 1, 0>;
        ConvTranspose2d<4, 2, 3, 2, 1, 1>;
        ConvTranspose2d<1, 4, 3, 3, 0, 0>;
        ConvTranspose2d<3, 2, 2, 1, 0, 0>;
        ConvTranspose2d<2, 3, 5, 1, 0, 0>;
        ConvTranspose2d<4, 1, 5, 2, 0, 0>;
        ConvTranspose2d<4, 1, 2, 2, 0, 1>;
        ConvTranspose2d<3, 4, 1, 2, 0, 1>;
    };
    count += with_parameters! { Sequences:
        Conv1d<1, 4, 3, 1, 2, 1>;
        Conv1d<2, 4, 2, 1, 1, 3>;
        Conv1d<1, 5, 4, 3, 0, 1>;
        Conv1d<1, 3, 5, 2, 1, 3>;
        Conv1d<1, 5, 1, 2, 2, 2>;
        Conv1d<1, 5, 3, 1, 0, 3>;
        Conv1d<3, 2, 1, 2, 3, 3>;
        Conv1d<1, 4, 5, 2, 1, 3>;
    };
    count += with_parameters! { Images:
        BatchNorm2d<4>;
        LayerNorm<5>;
        GroupNorm<1, 4>;
        BatchNorm2d<2>;
        LayerNorm<3>;
        GroupNorm<3, 6>;
        BatchNorm2d<5>;
        LayerNorm<6>;
        GroupNorm<2, 10>;
    };
    count += without_parameters! { Sequences:
        MaxPool1d<2, 4, 1>;
        MaxPool1d<5, 3, 1>;
        AvgPool1d<2, 3, 1, true>;
        AvgPool1d<3, 4, 0, false>;
    };
    count += without_parameters! { Images:
        MaxPool2d<1, 1, 0>;
        MaxPool2d<3, 2, 1>;
        MaxPool2d<1, 4, 0>;
        MaxPool2d<4, 2, 0>;
        MaxPool2d<1, 2, 0>;
        AvgPool2d<2, 3, 0, true>;
        AvgPool2d<2, 1, 1, true>;
        AvgPool2d<1, 1, 0, true>;
        AvgPool2d<3, 1, 1, false>;
        AvgPool2d<4, 1, 1, false>;
        AvgPool2d<4, 2, 1, true>;
        AvgPool2d<2, 2, 1, true>;
        AvgPool2d<3, 3, 1, false>;
        AvgPool2d<3, 1, 1, true>;
        AvgPool2d<1, 1, 0, false>;
        AdaptiveAvgPool2d<4, 2>;
        AdaptiveAvgPool2d<3, 1>;
        AdaptiveAvgPool2d<2, 4>;
        AdaptiveAvgPool2d<5, 2>;
        AdaptiveMaxPool2d<2, 3>;
        AdaptiveMaxPool2d<1, 2>;
        AdaptiveMaxPool2d<5, 5>;
        AdaptiveMaxPool2d<5, 3>;
        UpsampleNearest2d<1>;
        UpsampleNearest2d<2>;
        UpsampleNearest2d<3>;
        UpsampleNearest2d<4>;
        UpsampleBilinear2d<1>;
        UpsampleBilinear2d<2>;
        UpsampleBilinear2d<3>;
        UpsampleBilinear2d<4>;
        ZeroPad2d<1>;
        ZeroPad2d<2>;
        ZeroPad2d<3>;
        ReflectionPad2d<1>;
        ReflectionPad2d<2>;
        ReflectionPad2d<3>;
        ReplicationPad2d<1>;
        ReplicationPad2d<2>;
        ReplicationPad2d<3>;
        PixelShuffle<1>;
        PixelShuffle<2>;
        PixelShuffle<3>;
    };
    count += unpooling! {
        <3, 3, 1>;
        <4, 4, 1>;
        <3, 4, 0>;
        <4, 4, 2>;
    };
    assert_eq!(count, CASES.len(), "every case was run");
}
