//! Numbers out of range: whatever takes one says its name.

use taut::loss::Mean;
use taut::nn::{BatchNorm1d, GroupNorm, LayerNorm};
use taut::optim::{Plateau, PlateauConfig};
use taut::prelude::*;

/// Panics unless `f` does, with all these words.
#[track_caller]
fn refused<R>(words: &[&str], f: impl FnOnce() -> R) {
    let Err(panic) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(f()))) else {
        panic!("{words:?} was not refused")
    };
    let constant = panic.downcast_ref::<&str>().map(|message| message.to_string());
    let message = constant.or_else(|| panic.downcast_ref::<String>().cloned()).expect("a message");
    assert!(words.iter().all(|&word| message.contains(word)), "{words:?}: {message}");
}

const NEGATIVE_OR_NONE: [f64; 3] = [-1.0, f64::NAN, f64::NEG_INFINITY];

#[test]
fn limits_of_gradients() {
    let mut rng = StdRng::seed_from_u64(0);
    let layer = Linear::<2, 1>::init(&mut rng);
    let gradients = || layer.forward(Tape::inference().trace(Tensor::from([[3.0, 4.0]]))).sum().backward();
    for limit in NEGATIVE_OR_NONE {
        refused(&["clip_norm: `limit` must be at least 0, and is"], || gradients().clip_norm(limit));
        refused(&["clip_value: `limit` must be at least 0, and is"], || gradients().clip_value(limit));
    }
    let mut clipped = gradients();
    clipped.clip_norm(f64::INFINITY);
    clipped.clip_value(f64::INFINITY);
    assert_eq!(clipped.of(&layer.weight), gradients().of(&layer.weight));
    clipped.clip_norm(0.0);
    assert_eq!(clipped.norm(), 0.0);
}

#[test]
fn the_sum_of_no_gradients_is_empty() {
    let layer = Linear::<2, 1>::init(&mut StdRng::seed_from_u64(0));
    let none: Gradients = std::iter::empty().sum();
    assert_eq!(none.norm(), 0.0);
    assert!(none.try_of(&layer.weight).is_none());
    let some = layer.forward(Tape::inference().trace(Tensor::from([[3.0, 4.0]]))).sum().backward();
    assert_eq!((none + some).of(&layer.weight).to_array(), [[3.0, 4.0]]);
}

#[test]
fn optimizers() {
    for wrong in NEGATIVE_OR_NONE.into_iter().chain([f64::INFINITY]) {
        macro_rules! each {
            ($optimizer:ident $config:ident: $($field:ident)*) => { $(
                refused(&[stringify!($optimizer), stringify!($field), "must be"], || {
                    $optimizer::new($config { $field: wrong, ..Default::default() })
                });
            )* };
        }
        each!(Sgd SgdConfig: learning_rate);
        each!(Adam AdamConfig: learning_rate mean_decay square_decay epsilon);
        each!(RmsProp RmsPropConfig: learning_rate decay epsilon);
        each!(AdaGrad AdaGradConfig: learning_rate learning_rate_decay initial_sum epsilon);
        for momentum in [Momentum::Average(wrong), Momentum::Classic(wrong), Momentum::Nesterov(wrong)] {
            refused(&["Sgd", "momentum"], || Sgd::new(SgdConfig { momentum, ..Default::default() }));
        }
        for weight_decay in [WeightDecay::Coupled(wrong), WeightDecay::Decoupled(wrong)] {
            refused(&["Sgd", "weight_decay"], || Sgd::new(SgdConfig { weight_decay, ..Default::default() }));
        }
        let mut optimizer = Sgd::new(SgdConfig::default());
        refused(&["learning_rate"], || optimizer.set_learning_rate(wrong));
        let mut plateau = Plateau::new(PlateauConfig::default());
        refused(&["next_rate", "rate"], || plateau.next_rate(wrong, 1.0));
        refused(&["Plateau", "factor"], || Plateau::new(PlateauConfig { factor: wrong, ..Default::default() }));
        refused(&["Plateau", "smallest_rate"], || {
            Plateau::new(PlateauConfig { smallest_rate: wrong, ..Default::default() })
        });
    }
}

#[test]
fn layers() {
    let mut rng = StdRng::seed_from_u64(0);
    let x = Tensor::<Rank2<4, 6>>::randn(&mut rng);
    for wrong in NEGATIVE_OR_NONE {
        let mut layer = BatchNorm1d::<6>::init(&mut rng);
        layer.options.epsilon = wrong;
        refused(&["BatchNorm", "epsilon"], || layer.forward(x.clone()));
        let mut layer = BatchNorm1d::<6>::init(&mut rng);
        layer.options.momentum = wrong;
        refused(&["BatchNorm", "momentum"], || layer.forward(x.clone()));
        let mut layer = LayerNorm::<6>::init(&mut rng);
        layer.epsilon = wrong;
        refused(&["LayerNorm", "epsilon"], || layer.forward(x.clone()));
        let mut layer = GroupNorm::<2, 6>::init(&mut rng);
        layer.epsilon = wrong;
        refused(&["GroupNorm", "epsilon"], || layer.forward(x.clone()));
    }
    for wrong in [f64::NAN, f64::INFINITY] {
        refused(&["LeakyRelu", "slope"], || LeakyRelu { slope: wrong }.forward(x.clone()));
        refused(&["Elu", "alpha"], || Elu { alpha: wrong }.forward(x.clone()));
        refused(&["leaky_relu", "slope"], || x.clone().leaky_relu(wrong as f32));
        refused(&["elu", "alpha"], || x.clone().elu(wrong as f32));
    }
}

#[test]
fn losses() {
    let tape = Tape::inference();
    let layer = Linear::<2, 1>::init(&mut StdRng::seed_from_u64(0));
    let (x, t) = (Tensor::from([[1.0, 2.0]]), Tensor::from([[0.0, 1.0]]));
    for wrong in NEGATIVE_OR_NONE {
        refused(&["huber", "delta"], || x.clone().huber(&t, wrong));
        refused(&["binary_cross_entropy", "positive_weight"], || x.clone().binary_cross_entropy_with(&t, wrong, Mean));
        refused(&["plus_l2", "lambda"], || tape.trace(x.clone()).sum().plus_l2(wrong, &layer.weight));
        refused(&["is_close", "relative"], || x.is_close(&t, wrong, 0.0));
        refused(&["is_close", "absolute"], || x.is_close(&t, 0.0, wrong));
    }
}

#[test]
fn limits_of_values() {
    let x = || Tensor::from([1.0, 2.0]);
    refused(&["clamp_min", "`low`", "NaN"], || x().clamp_min(f32::NAN));
    refused(&["clamp_max", "`high`", "NaN"], || x().clamp_max(f32::NAN));
    refused(&["clamp", "the interval NaN ..= 1 is empty"], || x().clamp(f32::NAN, 1.0));
    assert_eq!(x().clamp_min(f32::NEG_INFINITY).clamp_max(f32::INFINITY), x());
}

#[test]
fn prefetched_items() {
    for ahead in [usize::MAX, usize::MAX / 2, 1 << 40, (1 << 16) + 1] {
        refused(&["Prefetch", "`ahead` must be at most 65536"], || taut::data::Prefetch::new(0..3, ahead));
    }
    assert_eq!(taut::data::Prefetch::new(0..3, 1 << 16).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn agents() {
    use taut::rl::{CartPole, Environments, Epsilon, Moment, MultiStep, Priorities, advantages};
    for wrong in NEGATIVE_OR_NONE.into_iter().chain([1.5, f64::INFINITY]) {
        refused(&["Epsilon", "first"], || Epsilon { first: wrong, last: 0.1, steps: 10 }.at(3));
        refused(&["Epsilon", "last"], || Epsilon { first: 0.1, last: wrong, steps: 10 }.at(3));
        refused(&["MultiStep", "discount"], || MultiStep::<CartPole, 1>::new(3, wrong as f32));
        let none: [Moment<1>; 0] = [];
        refused(&["advantages", "discount"], || advantages(&none, wrong as f32, 0.5));
        refused(&["advantages", "lambda"], || advantages(&none, 0.5, wrong as f32));
    }
    for wrong in NEGATIVE_OR_NONE.into_iter().chain([f64::INFINITY]) {
        refused(&["Priorities", "alpha"], || Priorities::new(8, wrong));
        let mut priorities = Priorities::new(8, 0.5);
        priorities.add(0);
        refused(&["Priorities::draw", "beta"], || {
            priorities.draw::<2, _>(wrong, &mut StdRng::seed_from_u64(0));
        });
    }
    let mut priorities = Priorities::new(5, 0.5);
    refused(&["Priorities", "place 8 is beyond the capacity"], || priorities.add(8));
    refused(&["Priorities", "place 9 is beyond the capacity"], || priorities.update(&[9], &[1.0]));
    refused(&["Priorities::update", "1 errors for 2 places"], || priorities.update(&[0, 1], &[1.0]));
    refused(&["Priorities", "`capacity`"], || Priorities::new(usize::MAX, 0.5));
    assert!(std::panic::catch_unwind(|| drop(Environments::<CartPole, 1>::new(0).with_time_limit(Some(0)))).is_err());
}

#[test]
fn explanations() {
    use taut::explain::{ActivationMaximization, Class, SmoothGrad};
    let mut rng = StdRng::seed_from_u64(0);
    let model = <(Flatten, Linear<4, 3>)>::init(&mut rng);
    let x = Tensor::<Rank4<1, 1, 2, 2>>::ones();
    for wrong in [f32::NAN, f32::INFINITY, -1.0] {
        let method = SmoothGrad { deviation: wrong, ..Default::default() };
        refused(&["SmoothGrad", "deviation"], || method.explain(&model, &x, Class(0), &mut rng));
        let method = ActivationMaximization { decay: wrong, ..Default::default() };
        refused(&["ActivationMaximization", "decay"], || method.of_target(&model, &x, Class(0), &mut rng));
    }
    let method = ActivationMaximization { rate: f32::NAN, ..Default::default() };
    refused(&["ActivationMaximization", "rate"], || method.of_target(&model, &x, Class(0), &mut rng));
    let method = ActivationMaximization { jitter: usize::MAX, ..Default::default() };
    refused(&["ActivationMaximization", "jitter"], || method.of_target(&model, &x, Class(0), &mut rng));
}
