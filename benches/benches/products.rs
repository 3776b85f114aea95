//! Products of matrices, without gradients, compared with those of the crate matrixmultiply.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use taut::prelude::*;
use taut_benches::PRODUCTS;

fn products(criterion: &mut Criterion) {
    let mut rng = StdRng::seed_from_u64(0);
    let mut group = criterion.benchmark_group("product");
    for (m, n, k) in PRODUCTS {
        let a = Tensor::<(usize, usize)>::normal_with((m, k), 0.0, 1.0, &mut rng);
        let b = Tensor::<(usize, usize)>::normal_with((k, n), 0.0, 1.0, &mut rng);
        let size = format!("{m}x{n}x{k}");
        group.throughput(Throughput::Elements(2 * (m * n * k) as u64));
        group.bench_function(BenchmarkId::new("taut", &size), |bench| bench.iter(|| a.clone().matmul(b.clone())));
        let (a, b, mut c) = (a.as_slice(), b.as_slice(), vec![0.0; m * n]);
        let [row_of_a, row_of_b] = [k, n].map(usize::cast_signed);
        group.bench_function(BenchmarkId::new("matrixmultiply", &size), |bench| {
            // SAFETY: the matrices have these sizes, in row-major order.
            bench.iter(|| unsafe {
                let (a, b, c) = (a.as_ptr(), b.as_ptr(), black_box(&mut c).as_mut_ptr());
                matrixmultiply::sgemm(m, k, n, 1.0, a, row_of_a, 1, b, row_of_b, 1, 0.0, c, row_of_b, 1);
            });
        });
    }
}

criterion_group!(benches, products);
criterion_main!(benches);
