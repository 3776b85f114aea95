//! Products of matrices, without gradients.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use taut::prelude::*;
use taut_benches::PRODUCTS;

fn products(criterion: &mut Criterion) {
    let mut rng = StdRng::seed_from_u64(0);
    let mut group = criterion.benchmark_group("product");
    for (m, n, k) in PRODUCTS {
        let a = Tensor::<(usize, usize)>::normal_with((m, k), 0.0, 1.0, &mut rng);
        let b = Tensor::<(usize, usize)>::normal_with((k, n), 0.0, 1.0, &mut rng);
        group.throughput(Throughput::Elements(2 * (m * n * k) as u64));
        group.bench_function(format!("{m}x{n}x{k}"), |bench| bench.iter(|| a.clone().matmul(b.clone())));
    }
}

criterion_group!(benches, products);
criterion_main!(benches);
