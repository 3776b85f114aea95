//! Functions of each element, in the first-level cache and beyond all caches.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use taut::prelude::*;

type Function = fn(Tensor<(usize,)>) -> Tensor<(usize,)>;

fn elements(criterion: &mut Criterion) {
    let functions: [(&str, Function); 5] = [
        ("relu", Tensor::relu),
        ("sigmoid", Tensor::sigmoid),
        ("exp", Tensor::exp),
        ("tanh", Tensor::tanh),
        ("gelu", Tensor::gelu),
    ];
    let mut group = criterion.benchmark_group("element");
    for count in [1 << 12, 1 << 22] {
        let x = Tensor::normal_with((count,), 0.0, 1.0, &mut StdRng::seed_from_u64(0));
        group.throughput(Throughput::Elements(count as u64));
        for (name, function) in functions {
            group.bench_function(format!("{name}/{count}"), |bench| bench.iter(|| function(x.clone())));
        }
        group.bench_function(format!("add/{count}"), |bench| bench.iter(|| &x + &x));
    }
}

criterion_group!(benches, elements);
criterion_main!(benches);
