//! Models in onnxruntime: every layer over random sizes, and whole models. A Python with the packages `onnx`,
//! `onnxruntime` and `numpy` (the one that the variable `TAUT_PYTHON` names, or `python3`) checks each file with ONNX's
//! own checker, runs it, and compares the results with taut's outputs: `tests/onnx/check.py`. Without one, that part is
//! skipped, with a note; unit tests compare the graphs with `tests/onnx/graphs.txt` in any case.
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

fn fixed_f64<S: Shape + Default>() -> impl Fn(&mut StdRng) -> Tensor<S, f64> {
    |rng| Tensor::normal_with(S::default(), 0.0, 1.0, rng)
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
    cases.layer::<cases::Corners, _>("max_unpool2d_corners", |rng| {
        random((rng.random_range(1..4), rng.random_range(1..4), Const::<3>, Const::<3>), rng)
    });
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
    cases.layer::<BatchNorm1dNoAffine<4>, _>("batch_norm1d_no_affine", rows());
    cases.layer::<BatchNorm2dNoAffine<4>, _>("batch_norm2d_no_affine", images(1));
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

type Words = Tensor<(usize, usize), usize>;
type Steps<const F: usize> = Tensor<(usize, usize, Const<F>)>;
type Lengths = Tensor<(usize,), usize>;

/// Indices below `vocabulary`.
fn indices<S: Shape>(shape: S, vocabulary: usize, rng: &mut StdRng) -> Tensor<S, usize> {
    let count = shape.sizes().as_ref().iter().product();
    Tensor::from_vec((0..count).map(|_| rng.random_range(0..vocabulary)).collect(), shape).unwrap()
}

fn words(vocabulary: usize) -> impl Fn(&mut StdRng) -> Words {
    move |rng| indices((rng.random_range(1..4), rng.random_range(1..8)), vocabulary, rng)
}

fn steps<const F: usize>() -> impl Fn(&mut StdRng) -> Steps<F> {
    |rng| random((rng.random_range(1..5), rng.random_range(1..8), Const), rng)
}

/// Sequences and their lengths, some of which are 0.
fn steps_with_lengths<const F: usize>() -> impl Fn(&mut StdRng) -> (Steps<F>, Lengths) {
    |rng| {
        let x = steps()(rng);
        let (batch, steps, _) = x.shape();
        let lengths = indices((batch,), steps + 1, rng);
        (x, lengths)
    }
}

/// A state for the sequences of x.
fn state<const F: usize, const H: usize>(x: &Steps<F>, rng: &mut StdRng) -> Tensor<Rows<H>> {
    random((x.shape().0, Const), rng)
}

fn lstm_state<const F: usize, const H: usize>(x: &Steps<F>, rng: &mut StdRng) -> LstmState<usize, Const<H>> {
    LstmState { hidden: state(x, rng), cell: state(x, rng) }
}

#[test]
fn embeddings() {
    let mut cases = Cases::new("embeddings");
    cases.layer::<Embedding<11, 4>, _>("embedding", words(11));
    cases.layer::<Embedding<11, 4>, _>("embedding_fixed", |rng| indices(<Rank2<2, 3>>::default(), 11, rng));
    cases.layer::<Embedding<11, 4>, _>("embedding_of_one", |rng| indices((), 11, rng));
    cases.layer::<SpectralNorm<Embedding<11, 4>>, _>("spectral_norm_embedding", words(11));
    let mut rng = StdRng::seed_from_u64(3);
    let padded = Embedding::<11, 4>::init(&mut rng).with_padding(2);
    cases.model("embedding_padding", &padded, words(11));
    cases.layer::<EmbeddingBag<5, 4>, _>("bag_mean", words(5));
    cases.layer::<EmbeddingBag<5, 4>, _>("bag_of_one_sentence", |rng| indices(<Rank1<6>>::default(), 5, rng));
    for (mode, name) in [(taut::nn::BagMode::Sum, "sum"), (taut::nn::BagMode::Mean, "mean")] {
        let mut bag = EmbeddingBag::<5, 4>::init(&mut rng);
        bag.mode = mode;
        cases.model(&format!("bag_{name}_whole"), &bag, words(5));
        cases.model(&format!("bag_{name}_padding"), &bag.with_padding(1), words(3));
    }
    cases.check();
}

#[test]
fn recurrent_layers() {
    let mut cases = Cases::new("recurrent");
    cases.layer::<Rnn<3, 5>, _>("rnn", steps());
    cases.layer::<ReluRnn<3, 5>, _>("relu_rnn", steps());
    cases.layer::<Lstm<3, 5>, _>("lstm", steps());
    cases.layer::<Gru<3, 5>, _>("gru", steps());
    cases.layer::<Gru<3, 5>, _>("gru_fixed", fixed::<Rank3<2, 4, 3>>());
    cases.layer::<Rnn<3, 4, 3>, _>("rnn_of_three_layers", steps());
    cases.layer::<Lstm<3, 4, 2>, _>("lstm_of_two_layers", steps());
    cases.layer::<BiRnn<3, 4>, _>("rnn_bidirectional", steps());
    cases.layer::<taut::nn::ReluRnn<3, 4, 1, taut::nn::Bidirectional>, _>("relu_rnn_bidirectional", steps());
    cases.layer::<BiLstm<3, 4, 2>, _>("lstm_bidirectional", steps());
    cases.layer::<BiGru<3, 4, 2>, _>("gru_bidirectional", steps());
    cases.layer::<(Lstm<3, 4>, LastStep), _>("last_step", steps());
    cases.layer::<Rnn<3, 5>, _>("rnn_lengths", steps_with_lengths());
    cases.layer::<Lstm<3, 5, 2>, _>("lstm_lengths", steps_with_lengths());
    cases.layer::<BiLstm<3, 5, 2>, _>("lstm_bidirectional_lengths", steps_with_lengths());
    cases.layer::<BiGru<3, 5>, _>("gru_bidirectional_lengths", steps_with_lengths());
    cases.layer::<Gru<3, 5>, _>("gru_lengths_fixed", |rng| {
        (random(<Rank3<2, 4, 3>>::default(), rng), indices(<Rank1<2>>::default(), 5, rng))
    });

    cases.layer::<Gru<3, 5, 2>, _>("gru_states", |rng| {
        let x = steps()(rng);
        let states = [state::<3, 5>(&x, rng), state(&x, rng)];
        (x, states)
    });
    cases.layer::<Lstm<3, 5, 2>, _>("lstm_states", |rng| {
        let x = steps()(rng);
        let states = [lstm_state::<3, 5>(&x, rng), lstm_state(&x, rng)];
        (x, states)
    });
    cases.layer::<BiLstm<3, 5>, _>("lstm_bidirectional_states", |rng| {
        let x = steps()(rng);
        let states = [[lstm_state::<3, 5>(&x, rng), lstm_state(&x, rng)]];
        (x, states)
    });
    cases.layer::<BiRnn<3, 5, 2>, _>("rnn_bidirectional_states_lengths", |rng| {
        let (x, lengths) = steps_with_lengths()(rng);
        let states = std::array::from_fn::<_, 2, _>(|_| [state::<3, 5>(&x, rng), state(&x, rng)]);
        (x, states, lengths)
    });
    cases.layer::<Lstm<3, 5>, _>("lstm_states_lengths", |rng| {
        let (x, lengths) = steps_with_lengths()(rng);
        let states = [lstm_state::<3, 5>(&x, rng)];
        (x, states, lengths)
    });

    cases.layer::<RnnCell<3, 5>, _>("rnn_cell", rows());
    cases.layer::<ReluRnnCell<3, 5>, _>("relu_rnn_cell", rows());
    cases.layer::<LstmCell<3, 5>, _>("lstm_cell", rows());
    cases.layer::<GruCell<3, 5>, _>("gru_cell_state", |rng| {
        let x = rows::<3>()(rng);
        let state: Tensor<Rows<5>> = random((x.shape().0, Const), rng);
        (x, state)
    });
    cases.layer::<LstmCell<3, 5>, _>("lstm_cell_state", |rng| {
        let x = rows::<3>()(rng);
        let mut part = || random::<Rows<5>>((x.shape().0, Const), rng);
        let state = LstmState { hidden: part(), cell: part() };
        (x, state)
    });
    cases.check();
}

#[test]
fn attention() {
    let mut cases = Cases::new("attention");
    cases.layer::<MultiHeadAttention<8, 2>, _>("attention", steps());
    cases.layer::<MultiHeadAttention<8, 4, 10>, _>("attention_fixed", fixed::<Rank3<2, 5, 8>>());
    cases.layer::<MultiHeadAttention<8, 2, 0, CausalMask>, _>("attention_causal", steps());
    cases.layer::<MultiHeadAttention<8, 1>, _>("attention_lengths", steps_with_lengths());
    cases.layer::<MultiHeadAttention<8, 2, 0, CausalMask>, _>("attention_causal_lengths", steps_with_lengths());
    cases.layer::<MultiHeadAttention<8, 2>, _>("attention_unknown_features", |rng| {
        random((rng.random_range(1..4), rng.random_range(1..6), 8_usize), rng)
    });
    let memory = |rng: &mut StdRng| {
        let x = steps::<8>()(rng);
        let memory: Steps<8> = random((x.shape().0, rng.random_range(1..9), Const), rng);
        let lengths = indices((x.shape().0,), memory.shape().1 + 1, rng);
        (x, memory, lengths)
    };
    cases.layer::<MultiHeadAttention<8, 2>, _>("cross_attention", |rng| {
        let (x, memory, _) = memory(rng);
        (x, memory)
    });
    cases.layer::<MultiHeadAttention<8, 2, 0, CausalMask>, _>("cross_attention_causal", |rng| {
        let (x, memory, _) = memory(rng);
        (x, memory)
    });
    cases.layer::<MultiHeadAttention<8, 2>, _>("cross_attention_lengths", memory);

    cases.layer::<PositionalEncoding<6>, _>("positions", |rng| {
        random((2_usize, rng.random_range(1..3_000), Const::<6>), rng)
    });
    cases.layer::<PositionalEncoding<5>, _>("positions_fixed", fixed::<Rank3<2, 7, 5>>());
    cases.layer::<LearnedPositionalEncoding<9, 4>, _>("learned_positions", steps());
    cases.layer::<LearnedPositionalEncoding<9, 4>, _>("learned_positions_fixed", fixed::<Rank3<2, 9, 4>>());

    type Post = TransformerEncoderLayer<8, 2, 12>;
    type Pre = TransformerEncoderLayer<8, 4, 12, 10, CausalMask, taut::nn::PreNorm, Gelu>;
    cases.layer::<Post, _>("encoder_layer", steps());
    cases.layer::<Pre, _>("encoder_layer_norm_first", steps());
    cases.layer::<Post, _>("encoder_layer_lengths", steps_with_lengths());
    cases.layer::<TransformerEncoder<Post, 2>, _>("encoder_lengths", steps_with_lengths());
    cases.layer::<TransformerEncoder<Pre, 2, LayerNorm<8>>, _>("encoder_norm_first", steps());
    cases.layer::<TransformerEncoder<Pre, 2, LayerNorm<8>>, _>("encoder_norm_first_lengths", steps_with_lengths());
    cases.check();
}

#[test]
fn whole_networks_of_sequences() {
    type CharLstm = (Embedding<65, 24>, Lstm<24, 48, 2>, Linear<48, 65>);
    type LanguageModel = (
        Embedding<65, 32>,
        LearnedPositionalEncoding<64, 32>,
        TransformerEncoder<
            TransformerEncoderLayer<32, 4, 128, 10, CausalMask, taut::nn::PreNorm, Gelu>,
            3,
            LayerNorm<32>,
        >,
        Linear<32, 65>,
    );
    type Classifier = (
        Embedding<50, 16>,
        PositionalEncoding<16>,
        TransformerEncoder<TransformerEncoderLayer<16, 2, 32>, 2>,
        LastStep,
        Linear<16, 4>,
    );
    let mut cases = Cases::new("sequences");
    cases.layer::<CharLstm, _>("char_lstm", words(65));
    cases.layer::<cases::OneLetter, _>("char_lstm_letter_by_letter", |rng| {
        let letters = indices((rng.random_range(1..4), Const::<1>), 65, rng);
        let x: Steps<1> = Tensor::zeros_with((letters.shape().0, 1, Const));
        (letters, [lstm_state::<1, 12>(&x, rng)])
    });
    cases.layer::<LanguageModel, _>("language_model", words(65));
    cases.layer::<Classifier, _>("classifier", words(50));
    cases.check();
}

/// The runtime supports `f32` only for some operators, so these are valid files of which it runs some.
#[test]
fn models_of_f64() {
    let mut cases = Cases::new("f64");
    type Network = (Linear<4, 6, f64>, BatchNorm1d<6, f64>, Silu, LayerNorm<6, f64>, Tanh, Linear<6, 2, f64>);
    cases.layer::<Network, _>("network", |rng| {
        Tensor::<Rows<4>, f64>::normal_with((rng.random_range(1..6), Const), 0.0, 1.0, rng)
    });
    cases.runs = 0;
    cases.layer::<Lstm<3, 5, 1, taut::nn::Unidirectional, f64>, _>("lstm", fixed_f64::<Rank3<2, 4, 3>>());
    cases.layer::<Conv2d<1, 2, 3, 1, 0, 1, f64>, _>("convolution", fixed_f64::<Rank4<2, 1, 4, 3>>());
    cases.layer::<Gelu, _>("gelu", fixed_f64::<Rank2<2, 3>>());
    cases.check();
}

/// A Python that has the packages of `check.py`.
fn python() -> Option<std::ffi::OsString> {
    let python = std::env::var_os("TAUT_PYTHON").unwrap_or("python3".into());
    let imports = Command::new(&python).args(["-c", "import numpy, onnx, onnxruntime"]).output();
    imports.is_ok_and(|output| output.status.success()).then_some(python)
}

/// Runs `check.py` on a folder. Without a suitable Python it is skipped, with a note.
fn check(folder: &Path) {
    let Some(python) = python() else {
        println!("skipped: no Python with numpy, onnx and onnxruntime (TAUT_PYTHON names one)");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx/check.py");
    let output = Command::new(python).arg(script).arg(folder).output().unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{errors}");
    println!("{said}");
}
