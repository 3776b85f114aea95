//! The tape as a user sees it: long computations, what gets a gradient, and misuse that must not go unnoticed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use taut::prelude::*;
use taut::trace::Place;

const LONG: usize = 100_000;

/// Runs `misuse`, which must panic, and returns its message.
fn message_of(misuse: impl FnOnce()) -> String {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(misuse)).expect_err("this must panic");
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast_ref::<&str>().unwrap().to_string(),
    }
}

#[test]
fn a_tape_shows_how_much_is_on_it_and_whether_it_is_used_up() {
    let tape = Tape::inference();
    let y = tape.watch(Tensor::from([2.0, 3.0])).square().sum();
    assert_eq!(format!("{tape:?}"), "Tape { entries: 3, used up: false }");
    let _ = y.backward();
    assert!(format!("{tape:?}").ends_with("used up: true }"));
}

#[test]
fn a_hundred_thousand_operations_run_forward_and_backward() {
    let tape = Tape::inference();
    let x = tape.watch(Tensor::<_, f64>::of([1.0, -2.0]));
    let mut y = x.clone();
    for _ in 0..LONG {
        y = y.sin();
    }
    let gradients = y.sum().backward();
    // the derivative, by hand
    let derivative = |mut x: f64| {
        let mut product = 1.0;
        for _ in 0..LONG {
            product *= x.cos();
            x = x.sin();
        }
        product
    };
    let found = gradients.of_input(&x);
    for (found, expected) in found.iter().zip([derivative(1.0), derivative(-2.0)]) {
        assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{found} {expected}");
        assert!(found > 0.0 || expected < 0.0);
    }
}

#[test]
fn a_hundred_thousand_operations_are_dropped_without_a_backward_pass() {
    let tape = Tape::inference();
    let mut y = tape.watch(Tensor::from([1.0]));
    for _ in 0..LONG {
        y = y.sin();
    }
    drop(tape);
    drop(y);
}

#[test]
fn a_value_used_a_hundred_thousand_times_adds_up() {
    let tape = Tape::inference();
    let x = tape.watch(Tensor::<_, f64>::of([3.0]));
    let mut sum = x.clone();
    for _ in 1..LONG {
        sum = sum + &x;
    }
    assert_eq!(sum.sum().backward().of_input(&x).to_array(), [LONG as f64]);
}

#[test]
fn several_inputs_and_parameters_get_their_gradients() {
    let mut rng = StdRng::seed_from_u64(0);
    let layer = Linear::<2, 3, f64>::init(&mut rng);
    let tape = Tape::training(&mut rng);
    let x = tape.watch(Tensor::<Rank2<4, 2>, f64>::randn(&mut rng));
    let scale = tape.watch(Tensor::<Rank2<4, 3>, f64>::randn(&mut rng));
    let constant = tape.trace(Tensor::<Rank2<4, 3>, f64>::randn(&mut rng));
    let unused = tape.watch(Tensor::<Rank1<5>, f64>::ones());
    let y = layer.forward(x.clone());
    let gradients = (y.clone() * scale.clone() + constant).sum().backward();

    // d/dscale = y, d/dy = scale
    assert_eq!(gradients.of_input(&scale), y.detach());
    assert_eq!(gradients.of_input(&x), scale.detach().matmul(layer.weight.value().clone()));
    let weight = scale.detach().transpose().matmul(x.detach());
    for (found, expected) in gradients.of(&layer.weight).iter().zip(weight.iter()) {
        assert!((found - expected).abs() < 1e-12);
    }
    assert_eq!(gradients.of_input(&unused), Tensor::zeros());
}

#[test]
fn a_parameter_that_was_not_reached_has_zeros() {
    let mut rng = StdRng::seed_from_u64(0);
    let used = Linear::<2, 2>::init(&mut rng);
    let unused = Linear::<2, 3>::init(&mut rng);
    let tape = Tape::training(&mut rng);
    let x = tape.trace(Tensor::from([1.0, 2.0]));
    // it joins the tape, but the loss does not depend on it
    let _ = unused.forward(x.clone());
    let gradients = used.forward(x).sum().backward();
    assert!(gradients.try_of(&used.weight).is_some());
    assert!(gradients.try_of(&unused.weight).is_none());
    assert_eq!(gradients.of(&unused.weight).to_array(), [[0.0; 2]; 3]);
}

#[test]
fn gradients_of_several_passes_add_up() {
    let mut rng = StdRng::seed_from_u64(0);
    let layer = Linear::<3, 2, f64>::init(&mut rng);
    let batch = Tensor::<Rank2<6, 3>, f64>::randn(&mut rng);
    let pass = |x: Tensor<(usize, Const<3>), f64>| layer.forward(Tape::inference().trace(x)).tanh().sum().backward();
    let rows = |from: usize, to: usize| {
        let values = batch.as_slice()[3 * from..3 * to].to_vec();
        Tensor::from_vec(values, (to - from, Const::<3>)).unwrap()
    };
    let whole = pass(rows(0, 6));
    let mut parts = pass(rows(0, 2));
    parts += pass(rows(2, 3));
    let parts = parts + pass(rows(3, 6));
    for (a, b) in whole.of(&layer.weight).iter().zip(parts.of(&layer.weight).iter()) {
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }
    let halved: Gradients = [pass(rows(0, 6)) * 0.25, pass(rows(0, 6)) * 0.25].into_iter().sum();
    for (a, b) in whole.of(&layer.bias).iter().zip(halved.of(&layer.bias).iter()) {
        assert!((a - 2.0 * b).abs() < 1e-12, "{a} {b}");
    }
}

#[test]
fn a_parameter_used_twice_gets_both_gradients() {
    let layer = Linear::<2, 2, f64>::init(&mut StdRng::seed_from_u64(0));
    check_parameter_gradients(&layer, |layer, tape| {
        let x = tape.trace(Tensor::<_, f64>::of([0.3, -0.7]));
        layer.forward(layer.forward(x).tanh()).sum()
    })
    .unwrap();
}

#[test]
fn the_vector_jacobian_product_weighs_the_outputs() {
    let tape = Tape::inference();
    let x = tape.watch(Tensor::<_, f64>::of([[1.0, 2.0], [3.0, 4.0]]));
    let y = x.clone() * &x;
    let upstream = Tensor::<_, f64>::of([[1.0, -1.0], [0.5, 0.0]]);
    assert_eq!(y.vector_jacobian(upstream).of_input(&x).to_array(), [[2.0, -4.0], [3.0, 0.0]]);
}

#[test]
fn nothing_is_computed_for_an_input_that_needs_no_gradient() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = |x: Tensor<Rank1<2>, f32, Traced<Inference>>| {
        let calls = calls.clone();
        custom(x, move |x| {
            let backward = move |gradient: Tensor<Rank1<2>>| {
                calls.fetch_add(1, Relaxed);
                gradient
            };
            (x, backward)
        })
    };
    let tape = Tape::inference();
    let watched = tape.watch(Tensor::from([1.0, 2.0]));
    let constant = tape.trace(Tensor::from([3.0, 4.0]));
    let gradients = (counted(watched.clone()) * counted(constant)).sum().backward();
    assert_eq!(gradients.of_input(&watched).to_array(), [3.0, 4.0]);
    assert_eq!(calls.load(Relaxed), 1, "the backward pass of the constant's operation must not run");

    // watched, but the loss does not depend on it
    let tape = Tape::inference();
    let beside = tape.watch(Tensor::from([1.0, 2.0]));
    let _ = counted(beside);
    let _ = tape.watch(Tensor::from([1.0])).sum().backward();
    assert_eq!(calls.load(Relaxed), 1);
}

#[test]
fn gradients_of_a_loss_without_parameters_are_empty() {
    let tape = Tape::inference();
    let gradients = tape.trace(Tensor::from([1.0, 2.0])).sum().backward();
    assert_eq!(gradients.norm(), 0.0);
}

#[test]
fn clipping_scales_to_the_limit() {
    let parameter = Linear::<1, 2, f64>::init(&mut StdRng::seed_from_u64(0));
    let gradients = || {
        let x = Tape::inference().trace(Tensor::<_, f64>::of([3.0]));
        parameter.forward(x).sum().backward() // weight: 3, 3; bias: 1, 1
    };
    let mut clipped = gradients();
    let norm = 20.0_f64.sqrt();
    assert!((clipped.clip_norm(1.0) - norm).abs() < 1e-12);
    assert!((clipped.norm() - 1.0).abs() < 1e-6);
    assert!((clipped.of(&parameter.weight)[[0, 0]] - 3.0 / norm).abs() < 1e-6);
    let mut kept = gradients();
    kept.clip_norm(100.0);
    assert_eq!(kept.of(&parameter.weight).to_array(), [[3.0], [3.0]]);
    let mut cut = gradients();
    cut.clip_value(2.0);
    assert_eq!(cut.of(&parameter.weight).to_array(), [[2.0], [2.0]]);
    assert_eq!(cut.of(&parameter.bias).to_array(), [1.0, 1.0]);
}

#[test]
fn a_used_up_tape_says_so() {
    let tape = Tape::inference();
    let x = tape.watch(Tensor::from([1.0, 2.0]));
    let y = x.clone().sum();
    let again = y.clone();
    let _ = y.backward();
    let message = message_of(|| {
        let _ = again.backward();
    });
    assert!(message.contains("`backward` already ran on this tape"), "{message}");
    let used_up = "this tape was used up by `backward`, and nothing can be recorded on it any more";
    for message in [
        message_of(|| drop(x.clone().exp())),
        message_of(|| drop(tape.watch(Tensor::from([1.0])))),
        message_of(|| drop(Linear::<2, 2>::init(&mut StdRng::seed_from_u64(0)).forward(x.clone()))),
    ] {
        assert!(message.contains(used_up), "{message}");
    }
}

#[test]
fn two_tapes_do_not_mix() {
    let a = Tape::inference().watch(Tensor::from([1.0]));
    let b = Tape::inference().watch(Tensor::from([2.0]));
    let message = message_of(|| drop(a + b));
    assert!(message.contains("the operands are on two different tapes"), "{message}");
}

#[test]
fn of_input_is_asked_about_watched_inputs_only() {
    let tape = Tape::inference();
    let watched = tape.watch(Tensor::from([1.0]));
    let traced = tape.trace(Tensor::from([1.0]));
    let computed = watched.clone() + &traced;
    let elsewhere = Tape::inference().watch(Tensor::from([1.0]));
    let gradients = computed.clone().sum().backward();
    assert_eq!(gradients.of_input(&watched).to_array(), [1.0]);
    for input in [traced, computed] {
        let message = message_of(|| drop(gradients.of_input(&input)));
        assert!(message.contains("was not brought onto the tape with `watch`"), "{message}");
    }
    let message = message_of(|| drop(gradients.of_input(&elsewhere)));
    assert!(message.contains("on another tape"), "{message}");
}

#[test]
fn a_frozen_part_passes_gradients_on_and_gets_none() {
    let mut rng = StdRng::seed_from_u64(0);
    let mut model = (Linear::<2, 3>::init(&mut rng), Frozen((Linear::<3, 3>::init(&mut rng), Sigmoid)));
    let (before, outer) = (model.1.0.0.weight.value().clone(), model.0.weight.value().clone());
    let tape = Tape::training(&mut rng);
    let gradients = model.forward(tape.trace(Tensor::from([[1.0, 2.0]]))).sum().backward();
    assert!(gradients.try_of(&model.1.0.0.weight).is_none());
    assert!(gradients.of(&model.0.weight).iter().any(|x| x != 0.0));
    Sgd::new(SgdConfig::default()).step(&mut model, &gradients);
    assert_eq!(model.1.0.0.weight.value(), &before);
    assert_ne!(model.0.weight.value(), &outer);
}

#[test]
fn a_panic_in_a_frozen_part_does_not_freeze_what_comes_after() {
    let mut rng = StdRng::seed_from_u64(0);
    let layer = Linear::<2, 2>::init(&mut rng);
    let wrong = Tensor::from_vec(vec![1.0_f32; 3], (1_usize, 3_usize)).unwrap();
    let message = message_of(|| drop(frozen(&layer).forward(wrong)));
    assert!(message.contains("expected 2 features, found 3"), "{message}");
    let gradients = layer.forward(Tape::training(&mut rng).trace(Tensor::from([1.0, 2.0]))).sum().backward();
    assert!(gradients.try_of(&layer.weight).is_some());
}

#[test]
fn one_model_runs_in_several_threads() {
    fn shared_by_threads<T: Send + Sync>(_: &T) {}
    fn sent<T: Send>(gradients: T) -> T {
        gradients
    }
    let mut rng = StdRng::seed_from_u64(0);
    let model = <((Linear<5, 8, f64>, Sigmoid), Linear<8, 3, f64>)>::init(&mut rng);
    shared_by_threads(&model);
    let x = Tensor::<Rank2<8, 5>, f64>::randn(&mut rng);
    let labels = [0, 2, 1, 1, 0, 2, 2, 0];
    // the loss of some of the rows, weighted so that those of all parts add up to the mean over all rows
    let pass = |from: usize, to: usize| {
        let rows = Tensor::from_slice(&x.as_slice()[5 * from..5 * to], (to - from, Const::<5>)).unwrap();
        let labels = Tensor::from_slice(&labels[from..to], (to - from,)).unwrap();
        let tape = Tape::training(&mut StdRng::seed_from_u64(1));
        let loss = model.forward(tape.trace(rows)).cross_entropy(&labels);
        (loss * ((to - from) as f64 / 8.0)).backward()
    };
    let single = pass(0, 8);
    let parts: Gradients = std::thread::scope(|scope| {
        let threads = [(0, 3), (3, 4), (4, 8)].map(|(from, to)| scope.spawn(move || sent(pass(from, to))));
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let weight = single.of(&model.0.0.weight) - parts.of(&model.0.0.weight);
    assert!(weight.iter().all(|difference| difference.abs() < 1e-14));
    let bias = single.of(&model.1.bias) - parts.of(&model.1.bias);
    assert!(bias.iter().all(|difference| difference.abs() < 1e-14));
    assert!(single.norm() > 0.01);
}

#[test]
fn a_clone_of_a_model_is_another_model() {
    let mut rng = StdRng::seed_from_u64(0);
    let model = Linear::<2, 2>::init(&mut rng);
    let target = model.clone();
    let gradients = model.forward(Tape::training(&mut rng).trace(Tensor::from([1.0, 2.0]))).sum().backward();
    assert!(gradients.try_of(&model.weight).is_some());
    assert!(gradients.try_of(&target.weight).is_none());
}

#[test]
fn running_statistics_of_added_passes_apply_in_turn() {
    type Layer = BatchNorm1d<2, f64>;
    let mut rng = StdRng::seed_from_u64(0);
    let batches = [0; 3].map(|_| Tensor::<Rank2<6, 2>, f64>::randn(&mut rng) * 2.0 + 1.0);
    // as in PyTorch: each batch moves the averages, r <- 0.9 r + 0.1 batch
    let mut expected = ([0.0; 2], [1.0; 2]);
    for batch in &batches {
        for c in 0..2 {
            let column: Vec<f64> = (0..6).map(|row| batch[[row, c]]).collect();
            let mean = column.iter().sum::<f64>() / 6.0;
            let variance = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 5.0;
            expected.0[c] = 0.9 * expected.0[c] + 0.1 * mean;
            expected.1[c] = 0.9 * expected.1[c] + 0.1 * variance;
        }
    }
    let check = |layer: &Layer| {
        for c in 0..2 {
            assert!((layer.running_mean.value()[[c]] - expected.0[c]).abs() < 1e-14);
            assert!((layer.running_var.value()[[c]] - expected.1[c]).abs() < 1e-14);
        }
    };
    let new = Layer::init(&mut rng);
    let pass = |layer: &Layer, batch: &Tensor<Rank2<6, 2>, f64>| {
        let tape = Tape::training(&mut StdRng::seed_from_u64(1));
        layer.forward(tape.trace(batch.clone())).square().sum().backward()
    };
    // a step after each batch; one step for the sum; the sum of threads; one tape
    let mut each = new.clone();
    let mut optimizer = Sgd::new(SgdConfig::default());
    for batch in &batches {
        let gradients = pass(&each, batch);
        optimizer.step(&mut each, &gradients);
    }
    check(&each);
    let mut summed = new.clone();
    let sum: Gradients = batches.iter().map(|batch| pass(&summed, batch)).sum();
    Sgd::new(SgdConfig::default()).step(&mut summed, &(sum * 0.5));
    check(&summed);
    let mut threaded = new.clone();
    let sum: Gradients = std::thread::scope(|scope| {
        let threads = batches.each_ref().map(|batch| scope.spawn(|| pass(&threaded, batch)));
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    Sgd::new(SgdConfig::default()).step(&mut threaded, &sum);
    check(&threaded);
    let mut at_once = new;
    let tape = Tape::training(&mut rng);
    let [a, b, c] = batches.map(|batch| at_once.forward(tape.trace(batch)).square().sum());
    Sgd::new(SgdConfig::default()).step(&mut at_once, &(a + b + c).backward());
    check(&at_once);
}

#[test]
fn gradients_by_name_and_norms_of_layers() {
    let mut rng = StdRng::seed_from_u64(0);
    // rows of a table, f32 and f64, frozen parameters, and a layer that is not used
    let model =
        <(Embedding<7, 3>, Linear<3, 4>, Frozen<Linear<4, 4>>, Linear<4, 2>, Linear<2, 2, f64>)>::init(&mut rng);
    let tape = Tape::training(&mut rng);
    let features = model.0.forward(tape.trace(Tensor::from([2, 5, 2])));
    let y = model.3.forward(model.2.forward(model.1.forward(features)));
    let gradients = y.square().sum().backward();
    let mut names = Vec::new();
    gradients.for_each(&model, |name, leaf, gradient| {
        if let Some(gradient) = gradient {
            assert_eq!(gradient.len(), leaf.values.len());
        }
        names.push((name.to_string(), gradient.is_some()));
    });
    let expected = [("0.weight", true), ("1.weight", true), ("1.bias", true), ("3.weight", true), ("3.bias", true)];
    let expected = expected.into_iter().chain([("4.weight", false), ("4.bias", false)]);
    assert!(names.iter().map(|(name, found)| (name.as_str(), *found)).eq(expected), "{names:?}");
    assert_eq!(gradients.unreached(&model), ["4.weight", "4.bias"]);
    let squares = |norms: &[f64]| norms.iter().map(|norm| norm * norm).sum::<f64>().sqrt();
    let norms = gradients.norms(&model);
    assert_eq!(norms.len(), 7);
    let all: Vec<f64> = norms.iter().map(|(_, norm)| *norm).collect();
    assert!((squares(&all) - gradients.norm()).abs() < 1e-9 * gradients.norm());
    assert!((squares(&all[1..3]) - gradients.norm_of(&model.1)).abs() < 1e-12 * all[1]);
    assert_eq!(gradients.norm_of(&model.1.bias), all[2]);
    assert!(all[..5].iter().all(|&norm| norm > 0.0));
    assert_eq!((gradients.norm_of(&model.2), gradients.norm_of(&model.4)), (0.0, 0.0));
}

/// A value watched in the middle of a computation has the gradient that it would have as an input of the rest.
#[test]
fn a_value_inside_a_computation_is_watched() {
    type Hidden<T> = Tensor<Rank4<2, 3, 6, 6>, f64, T>;
    let mut rng = StdRng::seed_from_u64(0);
    let first = <(Conv2d<1, 3, 3, 1, 1, 1, f64>, Relu)>::init(&mut rng);
    let rest = <(BatchNorm2d<3, f64>, Sigmoid, MaxPool2d<2>, Flatten, Linear<27, 2, f64>)>::init(&mut rng);
    let x = Tensor::<Rank4<2, 1, 6, 6>, f64>::randn(&mut rng);
    let loss = |hidden: Hidden<Traced<Training>>| rest.forward(hidden.clone()).square().sum() + hidden.square().sum();
    let alone = {
        let tape = training();
        let hidden = tape.watch(first.forward(x.clone()));
        loss(hidden.clone()).backward().of_input(&hidden)
    };
    // trained or frozen before it; watched once or twice; the input watched or not
    for (freeze, twice, input) in [(false, false, false), (true, false, false), (false, true, true), (true, true, true)]
    {
        let tape = training();
        let x = if input { tape.watch(x.clone()) } else { tape.trace(x.clone()) };
        let hidden = if freeze { frozen(&first).forward(x.clone()) } else { first.forward(x.clone()) };
        let hidden = if twice { hidden.watch().watch() } else { hidden.watch() };
        let y = loss(hidden.clone()).watch();
        let later = hidden.clone().exp().watch();
        let gradients = y.clone().backward();
        assert_eq!(gradients.of_input(&hidden), alone);
        assert_eq!(gradients.of_input(&y).item(), 1.0);
        assert_eq!(gradients.of_input(&later), Tensor::zeros(), "the loss does not depend on it");
        assert_eq!(gradients.try_of(&first.0.weight).is_none(), freeze);
        // what comes before keeps the gradient that it has without
        let plain = {
            let tape = training();
            let x = tape.watch(x.detach());
            let gradients = loss(first.forward(x.clone())).backward();
            (gradients.of_input(&x), gradients.of(&first.0.weight))
        };
        assert!(!input || gradients.of_input(&x) == plain.0);
        assert!(freeze || gradients.of(&first.0.weight) == plain.1);
    }
    assert_eq!(first.forward(x.clone()).watch(), first.forward(x), "nothing happens without a tape");
}

fn training() -> Tape<Training> {
    Tape::training(&mut StdRng::seed_from_u64(1))
}

#[test]
fn a_used_up_tape_watches_nothing() {
    let tape = Tape::inference();
    let y = tape.watch(Tensor::from([1.0])).exp();
    let _ = y.clone().sum().backward();
    let message = message_of(|| drop(y.watch()));
    assert!(message.contains("this tape was used up by `backward`"), "{message}");
}

/// Generic over the trace, with no other value at hand than its input.
#[derive(Parameters)]
struct Affine {
    scale: Param<Rank1<3>, f64>,
    shift: Buffer<Rank1<3>, f64>,
}
impl<P: Place> Module<P> for Affine {
    type Output = Tensor<Rank1<3>, f64, P::Trace>;
    fn apply(&self, place: P) -> Self::Output {
        let noise = Tensor::<_, f64>::of([1.0, 2.0, 3.0]).on(&place);
        let y = self.scale.on(&place) * noise + self.shift.on(&place);
        self.shift.update_on(&place, Tensor::<_, f64>::of([7.0; 3]));
        y + self.shift.on(&place)
    }
}

#[test]
fn values_come_onto_a_tape_without_a_value_of_it() {
    let (scale, shift) = (Param::new(Tensor::<_, f64>::of([2.0; 3])), Buffer::new(Tensor::<_, f64>::of([0.5; 3])));
    let layer = Affine { scale, shift };
    let tape = training();
    let y = layer.forward(tape);
    assert_eq!(y.to_array(), [9.5, 11.5, 13.5]);
    let gradients = y.sum().backward();
    assert_eq!(gradients.of(&layer.scale).to_array(), [1.0, 2.0, 3.0]);
    // labels, numbers of another type, and untraced tensors are reported there, too
    assert_eq!(layer.forward(Tensor::from([1_usize])).to_array(), [3.0, 5.0, 7.0]);
    let y = layer.forward(Tape::inference().trace(Tensor::from(true)));
    assert!(y.sum().backward().try_of(&layer.scale).is_some());
}

#[test]
fn guided_relus_pass_on_positive_gradients_only() {
    type Model = (Linear<3, 8, f64>, Relu, Residual<(Linear<8, 8, f64>, Relu)>, Linear<8, 2, f64>);
    let mut rng = StdRng::seed_from_u64(0);
    let model = Model::init(&mut rng);
    let x = Tensor::<Rank2<4, 3>, f64>::randn(&mut rng);
    // by hand: the backward pass of a ReLU with the gradient that arrives there
    let relu = |x: Tensor<Rank2<4, 8>, f64, Traced<Inference>>| {
        custom(x, |x| {
            let y = x.clone().relu();
            (y, move |g: Tensor<Rank2<4, 8>, f64>| {
                Tensor::from_fn(|[i, j]: [usize; 2]| if x[[i, j]] > 0.0 { g[[i, j]].max(0.0) } else { 0.0 })
            })
        })
    };
    let expected = {
        let tape = Tape::inference();
        let x = tape.watch(x.clone());
        let hidden = relu(model.0.forward(x.clone()));
        let hidden = hidden.clone() + relu(model.2.0.0.forward(hidden));
        model.3.forward(hidden).slice_at::<1>(0).sum().backward().of_input(&x)
    };
    let run = |guide: bool| {
        let tape = Tape::inference();
        let x = tape.watch(x.clone());
        // a panic inside, and another tape, change nothing
        let _ = message_of(|| tape.guided(|| panic!("as it should")));
        let other = Tape::inference();
        let forward = || model.forward(x.clone());
        let y = if guide { tape.guided(forward) } else { other.guided(forward) };
        assert_eq!(y, model.forward(x.detach()));
        y.slice_at::<1>(0).sum().backward().of_input(&x)
    };
    assert_eq!(run(true), expected);
    assert_ne!(run(false), expected);
}
