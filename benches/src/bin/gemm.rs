//! Products of matrices in f32, in row-major order: C = A B.

use taut::prelude::*;
use taut_benches::{PRODUCTS, Work, measure, report, wanted};

fn main() {
    let mut rng = StdRng::seed_from_u64(0);
    for (m, n, k) in PRODUCTS {
        let workload = format!("gemm_{m}x{n}x{k}");
        if !wanted(&workload) {
            continue;
        }
        let a = Tensor::<(usize, usize)>::normal_with((m, k), 0.0, 1.0, &mut rng);
        let b = Tensor::<(usize, usize)>::normal_with((k, n), 0.0, 1.0, &mut rng);
        let figures = measure(0.7, || {
            let _ = std::hint::black_box(a.clone().matmul(b.clone()));
        });
        report(&workload, &figures, Work { flops: Some(2.0 * (m * n * k) as f64), ..Default::default() });
    }
}
