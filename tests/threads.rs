//! Training gives the same bits on any number of threads.

use taut::prelude::*;

type Model = ((Linear<200, 300>, Relu), (Linear<300, 290>, Sigmoid), Linear<290, 40>);

/// The parameters after a few steps whose products, element-wise loops and sums are all long enough to be split.
fn trained(threads: usize) -> Vec<u32> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let mut rng = taut::Generator::new(0);
        let mut model = Model::init(&mut rng);
        let x = Tensor::<Rank2<512, 200>>::randn(&mut rng);
        let labels = Tensor::<Rank1<512>, usize>::from_fn(|[i]| i % 40);
        let mut optimizer = Sgd::new(SgdConfig { learning_rate: 0.1, ..Default::default() });
        for _ in 0..2 {
            let tape = Tape::training(&mut rng);
            let gradients = model.forward(tape.trace(x.clone())).cross_entropy(&labels).backward();
            optimizer.step(&mut model, &gradients);
        }
        let mut bits = Vec::new();
        let mut add = |values: &[f32]| bits.extend(values.iter().map(|x| x.to_bits()));
        add(model.0.0.weight.value().as_slice());
        add(model.0.0.bias.value().as_slice());
        add(model.1.0.weight.value().as_slice());
        add(model.1.0.bias.value().as_slice());
        add(model.2.weight.value().as_slice());
        add(model.2.bias.value().as_slice());
        bits
    })
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let one = trained(1);
    assert!(one == trained(2));
    assert!(one == trained(3));
}
