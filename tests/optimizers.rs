//! Optimizers: steps computed by hand, whole training runs, and gradients of parts that add up to those of the whole.

use approx::assert_abs_diff_eq;
use taut::optim::Rule;
use taut::prelude::*;

type Net = (Linear<2, 16>, Relu, Linear<16, 3>);
type Batch = (Tensor<(usize, Const<2>)>, Tensor<(usize,), usize>);

/// Three rings around the origin, one per class: no straight line separates them.
fn rings(samples: usize) -> Batch {
    let point = |i: usize| {
        let (radius, angle) = (0.5 + (i % 3) as f32, i as f32 * 2.4);
        [radius * angle.cos(), radius * angle.sin()]
    };
    let x = Tensor::from_fn_with((samples, Const), |[i, j]| point(i)[j]);
    (x, Tensor::from_fn_with((samples,), |[i]| i % 3))
}

fn gradients(net: &Net, (x, labels): &Batch) -> (f32, Gradients) {
    let tape = Tape::training(&mut StdRng::seed_from_u64(0));
    let loss = net.forward(tape.trace(x.clone())).cross_entropy(labels);
    (loss.item(), loss.backward())
}

/// The loss after some steps. It starts at about 1.1.
fn train<R: Rule>(mut optimizer: Optimizer<R>, steps: usize) -> f32 {
    let data = rings(60);
    let mut net = Net::init(&mut StdRng::seed_from_u64(0));
    for _ in 0..steps {
        let (_, gradients) = gradients(&net, &data);
        optimizer.step(&mut net, &gradients);
    }
    gradients(&net, &data).0
}

#[test]
fn every_optimizer_learns() {
    let check = |name: &str, loss: f32| assert!(loss < 0.05, "{name}: the loss is still {loss}");
    let sgd = SgdConfig { learning_rate: 0.3, ..Default::default() };
    check("SGD, average", train(Sgd::new(sgd), 500));
    check("SGD, none", train(Sgd::new(SgdConfig { momentum: Momentum::None, ..sgd }), 500));
    let classic = SgdConfig { learning_rate: 0.05, momentum: Momentum::Classic(0.9), ..sgd };
    check("SGD, classic", train(Sgd::new(classic), 300));
    check("SGD, Nesterov", train(Sgd::new(SgdConfig { momentum: Momentum::Nesterov(0.9), ..classic }), 300));
    let rms = RmsPropConfig { learning_rate: 0.01, ..Default::default() };
    check("RMSProp", train(RmsProp::new(rms), 200));
    let averaged = RmsPropConfig { momentum: RmsMomentum::OfGradients(0.9), centred: true, ..rms };
    check("RMSProp, averaged and centred", train(RmsProp::new(averaged), 200));
    let adam = AdamConfig { learning_rate: 0.02, ..Default::default() };
    check("Adam", train(Adam::new(adam), 200));
    check("Adam, largest square", train(Adam::new(AdamConfig { ams_grad: true, ..adam }), 200));
    let decoupled = AdamConfig { weight_decay: WeightDecay::Decoupled(1e-3), ..adam };
    check("AdamW", train(Adam::new(decoupled).no_decay_of_biases(), 200));
    check("AdaGrad", train(AdaGrad::new(AdaGradConfig { learning_rate: 0.1, ..Default::default() }), 200));

    // the threshold is meaningful: with a first layer that does not learn, the loss stays far above it
    let fixed = Group { learning_rate_factor: 0.0, ..Default::default() };
    let net = Net::init(&mut StdRng::seed_from_u64(0));
    let loss = train(Adam::new(adam).group(&net, |net| &net.0, fixed), 200);
    assert!(loss > 0.15, "the last layer alone comes to {loss}");
}

/// The largest difference between the gradients of two passes, relative to the largest gradient.
fn difference(net: &Net, a: &Gradients, b: &Gradients) -> f32 {
    fn most<S: Shape>(a: Tensor<S>, b: Tensor<S>) -> f32 {
        let size = a.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
        a.iter().zip(b.iter()).fold(0.0, |most: f32, (a, b)| most.max((a - b).abs())) / size
    }
    let first = most(a.of(&net.0.weight), b.of(&net.0.weight)).max(most(a.of(&net.0.bias), b.of(&net.0.bias)));
    let last = most(a.of(&net.2.weight), b.of(&net.2.weight)).max(most(a.of(&net.2.bias), b.of(&net.2.bias)));
    first.max(last)
}

/// The batch in parts of the same size.
fn parts((x, labels): &Batch, count: usize) -> Vec<Batch> {
    let size = labels.count() / count;
    let part = |i: usize| {
        let x = &x.as_slice()[2 * i * size..2 * (i + 1) * size];
        let labels = &labels.as_slice()[i * size..(i + 1) * size];
        (Tensor::from_slice(x, (size, Const)).unwrap(), Tensor::from_slice(labels, (size,)).unwrap())
    };
    (0..count).map(part).collect()
}

#[test]
fn gradients_of_small_batches_add_up_to_those_of_the_large_one() {
    let (data, net) = (rings(60), Net::init(&mut StdRng::seed_from_u64(1)));
    let (_, whole) = gradients(&net, &data);
    let accumulated: Gradients = parts(&data, 5).iter().map(|part| gradients(&net, part).1).sum();
    assert!(difference(&net, &whole, &(accumulated * 0.2)) < 1e-5);
}

#[test]
fn threads_with_a_tape_each_give_the_gradients_of_one() {
    let (data, net) = (rings(60), Net::init(&mut StdRng::seed_from_u64(2)));
    let parts = parts(&data, 4);
    let one_after_the_other: Gradients = parts.iter().map(|part| gradients(&net, part).1).sum();
    let at_once: Gradients = std::thread::scope(|scope| {
        let net = &net;
        let running: Vec<_> = parts.iter().map(|part| scope.spawn(move || gradients(net, part).1)).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(difference(&net, &one_after_the_other, &at_once), 0.0, "added up in the same order: the same bits");
    let (_, whole) = gradients(&net, &data);
    assert!(difference(&net, &whole, &(at_once * 0.25)) < 1e-5);
}

#[test]
fn clipping_keeps_the_direction_or_the_small_values() {
    let layer = Linear { weight: Param::new(Tensor::from([[0.0, 0.0, 0.0]])), bias: Param::new(Tensor::from([0.0])) };
    let pass = |x: [f32; 3]| layer.forward(Tape::inference().trace(Tensor::from(x))).sum().backward();
    let mut gradients = pass([2.0, -4.0, 2.0]);
    assert_eq!(gradients.norm(), 5.0, "of the weights, 2, 4 and 2, and of the bias, 1");
    assert_eq!(gradients.clip_norm(10.0), 5.0);
    assert_eq!(gradients.of(&layer.weight).to_array(), [[2.0, -4.0, 2.0]]);
    assert_eq!(gradients.clip_norm(1.0), 5.0);
    assert!(gradients.of(&layer.weight).is_close(&Tensor::from([[0.4, -0.8, 0.4]]), 1e-5, 0.0));
    assert!(gradients.of(&layer.bias).is_close(&Tensor::from([0.2]), 1e-5, 0.0));

    let mut gradients = pass([2.0, -4.0, 0.25]);
    gradients.clip_value(0.5);
    assert_eq!(gradients.of(&layer.weight).to_array(), [[0.5, -0.5, 0.25]]);
    assert_eq!(gradients.of(&layer.bias).to_array(), [0.5]);

    let mut gradients = pass([f32::INFINITY, 1.0, 1.0]);
    assert!(!gradients.is_finite());
    assert!(gradients.clip_norm(1.0).is_infinite(), "the caller sees it");
}

/// The values of theta, 1 at first, over three steps with the gradients 1, 2 and -1.
fn trajectory<R: Rule>(rule: R) -> [f64; 3] {
    let mut theta = Param::new(Tensor::<Rank0, f64>::full(1.0));
    let mut optimizer = Optimizer::new(rule);
    [1.0, 2.0, -1.0].map(|slope| {
        let tape = Tape::inference();
        let one = tape.trace(Tensor::<Rank0, f64>::full(1.0));
        let gradients = (theta.on(&one) * slope).backward();
        optimizer.step(&mut theta, &gradients);
        theta.value().item()
    })
}

// PyTorch has neither the average (its dampening skips the first step) nor decoupled decay; the others are compared
// with PyTorch in `tests/pytorch_optimizers.rs`
#[test]
fn the_average_is_as_computed_by_hand() {
    let config = SgdConfig { learning_rate: 0.1, momentum: Momentum::Average(0.5), ..Default::default() };
    // v: 0.5, 1.25, 0.125
    assert_abs_diff_eq!(trajectory(config)[..], [0.95, 0.825, 0.8125][..], epsilon = 1e-14);
    // g: 1 + 0.2 = 1.2, so v = 0.6; g = 2 + 0.188 = 2.188, v = 1.394; g = -1 + 0.16012 = -0.83988, v = 0.27706
    let coupled = SgdConfig { weight_decay: WeightDecay::Coupled(0.2), ..config };
    assert_abs_diff_eq!(trajectory(coupled)[..], [0.94, 0.8006, 0.772_894][..], epsilon = 1e-14);
}

#[test]
fn decoupled_decay_is_as_computed_by_hand() {
    let weight_decay = WeightDecay::Decoupled(0.2);
    let config = SgdConfig { learning_rate: 0.1, momentum: Momentum::None, weight_decay, ..Default::default() };
    // 0.98 - 0.1, 0.98 * 0.88 - 0.2, 0.98 * 0.6624 + 0.1
    assert_abs_diff_eq!(trajectory(config)[..], [0.88, 0.6624, 0.749_152][..], epsilon = 1e-14);
    // v: 1, 2.5, 0.25
    let classic = SgdConfig { momentum: Momentum::Classic(0.5), ..config };
    assert_abs_diff_eq!(trajectory(classic)[..], [0.88, 0.6124, 0.575_152][..], epsilon = 1e-14);
}

#[test]
fn rms_prop_on_an_average_is_as_computed_by_hand() {
    let config = RmsPropConfig {
        learning_rate: 0.1,
        decay: 0.75,
        epsilon: 0.0,
        momentum: RmsMomentum::OfGradients(0.5),
        ..Default::default()
    };
    // r: 1/4, 19/16, 73/64; v: 1/2, 5/4, 1/8
    let first = 1.0 - 0.1 * 0.5 / 0.5;
    let second = first - 0.1 * 1.25 / (19.0_f64 / 16.0).sqrt();
    let third = second - 0.1 * 0.125 / (73.0_f64 / 64.0).sqrt();
    assert_abs_diff_eq!(trajectory(config)[..], [first, second, third][..], epsilon = 1e-14);
}

/// A step that would change nothing panics and says why.
#[test]
fn a_step_by_gradients_of_something_else_is_refused() {
    type Model = (Linear<3, 4>, BatchNorm1d<4>, Linear<4, 2>);
    let mut rng = StdRng::seed_from_u64(0);
    let model = Model::init(&mut rng);
    let x = Tensor::<Rank2<5, 3>>::randn(&mut rng);
    let run =
        |model: &Model| model.forward(Tape::training(&mut StdRng::seed_from_u64(0)).trace(x.clone())).mean().backward();
    fn refusal<M: Parameters>(model: &mut M, gradients: &Gradients) -> String {
        let mut optimizer = Sgd::new(SgdConfig::default());
        let step = std::panic::AssertUnwindSafe(|| optimizer.step(model, gradients));
        *std::panic::catch_unwind(step).expect_err("this must panic").downcast::<String>().unwrap()
    }
    let gradients = run(&model);
    let message = refusal(&mut model.clone(), &gradients);
    assert!(message.contains("not one of the 6 gradients is of this model: they are of another one, or of a clone"));
    let other = Linear::<3, 2>::init(&mut rng);
    assert!(refusal(&mut other.clone(), &gradients).contains("not one of the 6 gradients"));
    // the model ran on a tensor that is not on the tape
    let tape = Tape::training(&mut rng);
    let loss = (tape.trace(model.forward(x.clone())) * 2.0).mean();
    assert!(refusal(&mut model.clone(), &loss.backward()).contains("the loss depends on no parameter that is trained"));
    assert!(refusal(&mut Frozen(model.clone()), &gradients).contains("the model has no parameter that is trained"));
    assert!(refusal(&mut Relu, &gradients).contains("the model has no parameter that is trained"));
    // one parameter, or one running average, is enough
    let mut model = model;
    let part = model.2.forward(Tape::inference().trace(Tensor::<Rank2<1, 4>>::ones())).sum().backward();
    assert_eq!(part.unreached(&model), ["0.weight", "0.bias", "1.weight", "1.bias"]);
    Sgd::new(SgdConfig::default()).step(&mut model, &part);
    let mut averages = BatchNorm1dNoAffine::<3>::init(&mut rng);
    let noted = averages.forward(Tape::training(&mut rng).trace(x.clone())).sum().backward();
    Sgd::new(SgdConfig::default()).step(&mut averages, &noted);
    assert_ne!(averages.running_mean.value(), &Tensor::zeros());
}
