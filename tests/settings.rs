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
    let message = panic.downcast_ref::<String>().expect("a formatted message");
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
