//! Denormals are flushed where this was asked for, on every thread, and nowhere else.
#![cfg(target_arch = "x86_64")]

use std::hint::black_box;
use taut::ops::flush_denormals;
use taut::prelude::*;

/// Whether this thread keeps denormals.
fn keeps() -> bool {
    black_box(1e-30_f32) * black_box(1e-10_f32) != 0.0
}

/// Products, sums and gradients whose numbers would all be denormal, long enough for several threads: how many of them
/// are not 0.
fn denormals_of<E: Float>(factor: f64) -> usize {
    let count = |x: &[E]| x.iter().filter(|&&x| x != E::zero()).count();
    let small = E::min_positive_value() * E::of(4.0);
    let tape = Tape::inference();
    let x = tape.watch(Tensor::<_, E>::full_with((400, 500), small));
    let y = x.clone() * E::of(factor);
    let vector = Tensor::<_, E>::full_with((500, 300), E::of(factor / 1000.0));
    let product = x.detach().matmul(vector);
    let mut found = count(y.as_slice()) + count(product.as_slice());
    found +=
        count(Tensor::<_, E>::full_with((400, 500), small).exp_m1().scale_shift(E::of(factor), E::zero()).as_slice());
    let gradient = y.vector_jacobian(Tensor::full_with((400, 500), small)).of_input(&x);
    found += count(gradient.as_slice());
    found
}

#[test]
fn on_every_thread_and_only_within() {
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        // from outside of the pool's threads and from one of them
        pool.install(|| {
            assert!(denormals_of::<f32>(1e-3) > 0 && denormals_of::<f64>(1e-3) > 0);
            let flushed = flush_denormals(|| {
                assert!(!keeps());
                // nested: the outer one still holds afterwards
                flush_denormals(|| assert!(!keeps()));
                assert!(!keeps());
                denormals_of::<f32>(1e-3) + denormals_of::<f64>(1e-3)
            });
            assert_eq!(flushed, 0, "{threads} threads");
            assert!(keeps());
        });
        assert!(pool.broadcast(|_| keeps()).into_iter().all(|keeps| keeps), "{threads} threads");
        assert!(pool.install(|| denormals_of::<f32>(1e-3)) > 0);
    }
}

#[test]
fn restored_after_a_panic() {
    let result = std::panic::catch_unwind(|| {
        flush_denormals(|| {
            let _ = Tensor::<(usize,)>::ones_with((2,)) + Tensor::<(usize,)>::ones_with((3,));
        })
    });
    assert!(result.is_err() && keeps());
}

#[test]
fn jobs_that_wait_in_one_pool_do_not_mix() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let found: Vec<(usize, usize)> = (0..20)
        .map(|_| {
            pool.install(|| rayon::join(|| denormals_of::<f32>(1e-3), || flush_denormals(|| denormals_of::<f32>(1e-3))))
        })
        .collect();
    assert!(found.iter().all(|&(kept, flushed)| kept == found[0].0 && kept > 0 && flushed == 0), "{found:?}");
}
