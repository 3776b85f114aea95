//! W8: single operations, without gradients unless the name says so; each result is a new tensor.

use rand::RngExt;
use taut::prelude::*;
use taut_benches::{Work, measure, report, wanted};

/// Measures `operation` on `x`; `passes` counts each operand and the result once.
fn operation<S: Shape, O>(name: &str, tag: &str, x: &Tensor<S>, passes: f64, operation: impl Fn(Tensor<S>) -> O) {
    let workload = format!("w8_{name}_{tag}");
    if wanted(&workload) {
        let figures = measure(0.4, || {
            std::hint::black_box(operation(x.clone()));
        });
        report(&workload, &figures, Work { bytes: Some(passes * 4.0 * x.count() as f64), ..Default::default() });
    }
}

fn same_for_every_shape<S: Shape + Default>(tag: &str) {
    let mut rng = StdRng::seed_from_u64(0);
    let mut random = || Tensor::normal_with(S::default(), 0.0, 1.0, &mut rng);
    let (x, y) = (random(), random());
    operation("relu", tag, &x, 2.0, Tensor::relu);
    operation("sigmoid", tag, &x, 2.0, Tensor::sigmoid);
    operation("gelu", tag, &x, 2.0, Tensor::gelu);
    operation("tanh", tag, &x, 2.0, Tensor::tanh);
    operation("exp", tag, &x, 2.0, Tensor::exp);
    operation("add", tag, &x, 3.0, |x| x + &y);
    operation("mul", tag, &x, 3.0, |x| x * &y);
    operation("sum_all", tag, &x, 1.0, Tensor::sum);
    // a tape for each call, as in training
    let dropped = |x| Dropout::<50>.forward(Tape::training(&mut StdRng::seed_from_u64(0)).trace(x));
    operation("dropout", tag, &x, 2.0, dropped);
}

/// A layer of images on a training tape, forward only.
fn channels(tag: &str, x: &Tensor<Rank4<64, 64, 56, 56>>) {
    let bias = Tensor::<Rank1<64>>::uniform(-1.0, 1.0, &mut StdRng::seed_from_u64(0));
    operation("bcast_add_chan", tag, x, 2.0, |x| {
        let shape = x.shape();
        x + bias.clone().broadcast_to::<(Axis<0>, Axis<2>, Axis<3>), _>(shape)
    });
    let norm = BatchNorm2d::<64>::init(&mut StdRng::seed_from_u64(0));
    let tape = || Tape::training(&mut StdRng::seed_from_u64(0));
    operation("batchnorm_fwd", tag, x, 2.0, |x| norm.forward(tape().trace(x)));
    let upstream = Tensor::<Rank4<64, 64, 56, 56>>::randn(&mut StdRng::seed_from_u64(1));
    operation("batchnorm_fwdbwd", tag, x, 5.0, |x| norm.forward(tape().watch(x)).vector_jacobian(upstream.clone()));
    let upstream = Tensor::<Rank4<64, 64, 28, 28>>::randn(&mut StdRng::seed_from_u64(1));
    operation("maxpool2_fwdbwd", tag, x, 2.5, |x| {
        MaxPool2d::<2>.forward(tape().watch(x)).vector_jacobian(upstream.clone())
    });
}

fn rows_of_a_table() {
    let mut rng = StdRng::seed_from_u64(0);
    let indices = Tensor::<Rank1<16384>, usize>::from_fn(|_| rng.random_range(0..10_000));
    let table = Tensor::<Rank2<10000, 128>>::randn(&mut rng);
    operation("embedding_gather", "10000x128_16384", &table, 2.0, |table| table.index_select::<0, _>(&indices));
    let rows = Tensor::<Rank2<16384, 128>>::randn(&mut rng);
    if wanted("w8_embedding_fwdbwd_10000x128_16384") {
        let figures = measure(0.4, || {
            let tape = Tape::training(&mut rng);
            let table = tape.watch(table.clone());
            let gradients = table.clone().index_select::<0, _>(&indices).vector_jacobian(rows.clone());
            let _ = std::hint::black_box(gradients.of_input(&table));
        });
        let bytes = Some(4.0 * 4.0 * rows.len() as f64);
        report("w8_embedding_fwdbwd_10000x128_16384", &figures, Work { bytes, ..Default::default() });
    }
}

fn main() {
    same_for_every_shape::<Rank2<1024, 1024>>("1024x1024");
    same_for_every_shape::<Rank4<64, 64, 56, 56>>("64x64x56x56");
    let mut rng = StdRng::seed_from_u64(0);
    let x = Tensor::<Rank2<1024, 1024>>::randn(&mut rng);
    operation("sum_axis0", "1024x1024", &x, 1.0, Tensor::sum_axis::<0>);
    operation("sum_last", "1024x1024", &x, 1.0, Tensor::sum_axis::<1>);
    operation("softmax_last", "1024x1024", &x, 2.0, Tensor::softmax::<1>);
    operation("log_softmax_last", "1024x1024", &x, 2.0, Tensor::log_softmax::<1>);
    operation("transpose_copy", "1024x1024", &x, 2.0, Tensor::transpose);
    let (bias, norm) = (Bias::<1024>::init(&mut rng), LayerNorm::<1024>::init(&mut rng));
    operation("bcast_add_row", "1024x1024", &x, 2.0, |x| bias.forward(x));
    operation("layernorm", "1024x1024", &x, 2.0, |x| norm.forward(x));
    let x = Tensor::<Rank4<64, 64, 56, 56>>::randn(&mut rng);
    operation("sum_axis0", "64x64x56x56", &x, 1.0, Tensor::sum_axis::<0>);
    operation("sum_last", "64x64x56x56", &x, 1.0, Tensor::sum_axis::<3>);
    operation("softmax_last", "64x64x56x56", &x, 2.0, Tensor::softmax::<3>);
    operation("log_softmax_last", "64x64x56x56", &x, 2.0, Tensor::log_softmax::<3>);
    operation("nchw_to_nhwc_copy", "64x64x56x56", &x, 2.0, |x| x.permute::<(Axis<0>, Axis<2>, Axis<3>, Axis<1>)>());
    channels("64x64x56x56", &x);
    rows_of_a_table();
}
