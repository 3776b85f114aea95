//! Convolutions over W5's sizes and a few others: forward, compared with im2col and a product of matrices, and forward
//! with both gradients. `TAUT_CONVOLUTION=direct` measures the methods used without Winograd's.

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};
use taut::ops::Window2d;
use taut::prelude::*;
use taut::shape::AtLeastOne;

/// `images` images of `I` channels, `size` x `size`, with `O` filters of `K` x `K`.
fn convolution<const I: usize, const O: usize, const K: usize, const STRIDE: usize, const PADDING: usize>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    images: usize,
    size: usize,
) where
    Const<K>: AtLeastOne,
    Const<STRIDE>: AtLeastOne,
{
    let mut rng = StdRng::seed_from_u64(0);
    let layer = Conv2dNoBias::<I, O, K, STRIDE, PADDING>::init(&mut rng);
    let shape = (images, Const, size, size);
    let x = Tensor::<(usize, Const<I>, usize, usize)>::normal_with(shape, 0.0, 1.0, &mut rng);
    let name = format!("{images}x{I}x{size}x{size}, {O} of {K}x{K}, stride {STRIDE}");
    let y = layer.forward(x.clone());
    group.throughput(Throughput::Elements(2 * (y.count() * I * K * K) as u64));
    group.bench_function(format!("forward {name}"), |bench| bench.iter(|| layer.forward(x.clone())));
    let window = Window2d { stride: [STRIDE; 2], padding: [PADDING; 2], ..Window2d::square(K) };
    let weight = Tensor::<(usize, usize)>::normal_with((I * K * K, O), 0.0, 1.0, &mut rng);
    group.bench_function(format!("im2col {name}"), |bench| {
        bench.iter(|| x.clone().im2col_with(window).matmul(weight.clone()));
    });
    group.bench_function(format!("both {name}"), |bench| {
        bench.iter(|| {
            let tape = Tape::training(&mut rng);
            layer.forward(tape.watch(x.clone())).vector_jacobian(y.clone())
        });
    });
}

fn convolutions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("convolution");
    group.sample_size(10);
    convolution::<64, 64, 3, 1, 1>(&mut group, 32, 56);
    convolution::<3, 64, 7, 2, 3>(&mut group, 32, 224);
    convolution::<128, 128, 3, 1, 1>(&mut group, 32, 28);
    convolution::<256, 256, 3, 1, 1>(&mut group, 32, 14);
    convolution::<1, 32, 5, 1, 2>(&mut group, 64, 28);
    convolution::<256, 1024, 1, 1, 0>(&mut group, 32, 14);
    // few images, odd numbers of channels, strides of 2
    convolution::<17, 33, 3, 1, 1>(&mut group, 3, 15);
    convolution::<128, 256, 3, 2, 1>(&mut group, 1, 28);
    convolution::<512, 512, 3, 1, 1>(&mut group, 1, 7);
}

criterion_group!(benches, convolutions);
criterion_main!(benches);
