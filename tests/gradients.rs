//! Gradients of layers against finite differences at run-time sizes: no samples, one, several; images of one pixel;
//! sequences of one step.

mod common;

use common::testing::*;
use taut::nn::Unidirectional;
use taut::prelude::*;

/// Finite differences over the input and the parameters of `$layer`.
macro_rules! check {
    ($layer:expr, $x:expr) => {{
        let (layer, x) = ($layer, $x);
        let shape = x.shape();
        if let Err(error) = check_gradients(|x| layer.forward(x), x.clone()) {
            panic!("{}, {shape:?}: {error}", stringify!($layer));
        }
        if let Err(error) = check_parameter_gradients(&layer, |layer, tape| layer.forward(tape.trace(x.clone()))) {
            panic!("{}, {shape:?}: {error}", stringify!($layer));
        }
    }};
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(4)
}

/// Makes a layer.
fn new<M: Init>() -> M {
    M::init(&mut rng())
}

#[test]
fn layers_of_rows() {
    random_shapes!(
        [
            (usize, Const<3>),
            (usize, usize, Const<3>),
            (usize, usize, usize, Const<3>),
            (usize, usize, usize, usize, Const<3>)
        ] |shape, rng| {
            let x = random(shape, -2.0, 2.0, rng);
            check!(new::<Linear<3, 2, f64>>(), x.clone());
            check!(new::<LinearNoBias<3, 4, f64>>(), x.clone());
            check!(new::<Bias<3, f64>>(), x.clone());
            check!(new::<LayerNorm<3, f64>>(), x.clone());
            check!(new::<PRelu<f64>>(), random_apart(shape, -2.0, 2.0, &[0.0], rng));
        }
    );
    // one sample, and widths of 1
    let mut rng = rng();
    check!(new::<Linear<3, 2, f64>>(), Tensor::<Rank1<3>, f64>::randn(&mut rng));
    check!(new::<Linear<1, 1, f64>>(), Tensor::<Rank2<2, 1>, f64>::randn(&mut rng));
    check!(new::<Linear<3, 0, f64>>(), Tensor::<Rank2<2, 3>, f64>::randn(&mut rng));
    check!(new::<Linear<0, 2, f64>>(), Tensor::<Rank2<2, 0>, f64>::randn(&mut rng));
}

/// Batches of none, one and several, of images down to the smallest that a window of 2 takes.
const IMAGES: [(usize, usize, usize); 5] = [(0, 3, 4), (1, 2, 2), (3, 2, 3), (1, 5, 2), (2, 4, 3)];

#[test]
fn layers_of_images() {
    let mut rng = rng();
    for (batch, height, width) in IMAGES {
        let x = distinct((batch, Const::<2>, height, width), &mut rng);
        check!(new::<Conv2d<2, 3, 2, 1, 0, 1, f64>>(), x.clone());
        check!(new::<Conv2d<2, 1, 3, 2, 1, 1, f64>>(), x.clone());
        check!(new::<SameConv2d<2, 2, 3, f64>>(), x.clone());
        check!(new::<ConvTranspose2d<2, 1, 2, 2, 0, 0, f64>>(), x.clone());
        check!(MaxPool2d::<2>, x.clone());
        check!(MaxPool2d::<3, 2, 1>, x.clone());
        check!(AvgPool2d::<2>, x.clone());
        check!(GlobalAvgPool2d, x.clone());
        check!(GlobalMaxPool2d, x.clone());
        check!(ZeroPad2d::<1>, x.clone());
        check!(ReflectionPad2d::<1>, x.clone());
        check!(ReplicationPad2d::<2>, x.clone());
        check!(UpsampleNearest2d::<2>, x.clone());
        check!(UpsampleBilinear2d::<2>, x.clone());
        check!(new::<ChannelPRelu<2, f64>>(), x.clone());
        if batch > 0 {
            check!(new::<BatchNorm2d<2, f64>>(), x.clone());
        }
        let matrix = |x: Watched<(usize, Const<2>, usize, usize)>| x.im2col::<2, 1, 1>();
        check_gradients(matrix, x.clone()).unwrap();
    }
    // one pixel
    let x = Tensor::<Rank4<2, 2, 1, 1>, f64>::randn(&mut rng);
    check!(new::<Conv2d<2, 3, 1, 1, 0, 1, f64>>(), x.clone());
    check!(new::<Conv2d<2, 3, 3, 1, 1, 1, f64>>(), x.clone());
    check!(UpsampleBilinear2d::<3>, x.clone());
    check!(AdaptiveAvgPool2d::<2, 1>, x);
}

#[test]
fn columns_and_images_are_each_others_gradients() {
    let mut rng = rng();
    for batch in [0, 1, 2] {
        let windows = Tensor::normal_with((batch * 6, Const::<8>), 0.0, 1.0, &mut rng);
        let image = |x: Watched<(usize, Const<8>)>| x.col2im::<2, 1, 0, _>((batch, Const::<2>, 3, 4));
        check_gradients(image, windows).unwrap();
    }
}

#[test]
fn recurrent_layers() {
    let mut rng = rng();
    for (batch, time) in [(0, 3), (1, 1), (2, 1), (1, 4), (3, 2)] {
        let x = Tensor::normal_with((batch, time, Const::<2>), 0.0, 1.0, &mut rng);
        check!(new::<Lstm<2, 3, 1, Unidirectional, f64>>(), x.clone());
        check!(new::<BiGru<2, 2, 1, f64>>(), x.clone());
        check!(new::<Rnn<2, 3, 2, Unidirectional, f64>>(), x);
    }
}
