//! One training step: forward, loss, backward, update.

use criterion::{Criterion, criterion_group, criterion_main};
use taut::prelude::*;

fn mlp(criterion: &mut Criterion) {
    let mut rng = StdRng::seed_from_u64(0);
    let mut model = <(Linear<784, 128>, Relu, Linear<128, 64>, Relu, Linear<64, 10>)>::init(&mut rng);
    let images = Tensor::<Rank2<64, 784>>::randn(&mut rng);
    let labels = Tensor::<Rank1<64>, usize>::from_fn(|[i]| i * 7 % 10);
    let mut optimizer = Sgd::new(SgdConfig { momentum: Momentum::Classic(0.9), ..Default::default() });
    criterion.bench_function("step/mlp", |bench| {
        bench.iter(|| {
            let tape = Tape::training(&mut rng);
            let loss = model.forward(tape.trace(images.clone())).cross_entropy(&labels);
            optimizer.step(&mut model, &loss.backward());
        });
    });
}

criterion_group!(benches, mlp);
criterion_main!(benches);
