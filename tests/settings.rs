//! Numbers out of range: whatever takes one names it.

use taut::loss::Mean;
use taut::nn::{BatchNorm1d, GroupNorm, LayerNorm};
use taut::optim::{Plateau, PlateauConfig};
use taut::prelude::*;

/// What is wrong, unless `f` panics with all these words.
fn refusal<R>(words: &[&str], f: impl FnOnce() -> R) -> Option<String> {
    let Err(panic) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(f()))) else {
        return Some(format!("{words:?} was not refused"));
    };
    let constant = panic.downcast_ref::<&str>().map(|message| message.to_string());
    let message = constant.or_else(|| panic.downcast_ref::<String>().cloned()).expect("a message");
    (!words.iter().all(|&word| message.contains(word))).then(|| format!("{words:?}: {message}"))
}

/// Panics unless `f` does, with all these words.
#[track_caller]
fn refused<R>(words: &[&str], f: impl FnOnce() -> R) {
    if let Some(wrong) = refusal(words, f) {
        panic!("{wrong}");
    }
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
        refused(&["next_learning_rate", "learning_rate"], || plateau.next_learning_rate(wrong, 1.0));
        refused(&["Plateau", "factor"], || Plateau::new(PlateauConfig { factor: wrong, ..Default::default() }));
        refused(&["Plateau", "smallest_learning_rate"], || {
            Plateau::new(PlateauConfig { smallest_learning_rate: wrong, ..Default::default() })
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
        refused(&["plus_l2", "lambda"], || tape.trace(x.clone()).sum().plus_l2(&layer.weight, wrong));
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
    use taut::rl::{CartPole, Environments, EpsilonGreedy, MultiStep, Priorities, RolloutStep, advantages};
    for wrong in NEGATIVE_OR_NONE.into_iter().chain([1.5, f64::INFINITY]) {
        refused(&["EpsilonGreedy", "first"], || EpsilonGreedy { first: wrong, last: 0.1, steps: 10 }.at(3));
        refused(&["EpsilonGreedy", "last"], || EpsilonGreedy { first: 0.1, last: wrong, steps: 10 }.at(3));
        refused(&["MultiStep", "discount"], || MultiStep::<CartPole, 1>::new(3, wrong as f32));
        let none: [RolloutStep<1>; 0] = [];
        refused(&["advantages", "discount"], || advantages(&none, wrong as f32, 0.5));
        refused(&["advantages", "lambda"], || advantages(&none, 0.5, wrong as f32));
    }
    for wrong in NEGATIVE_OR_NONE.into_iter().chain([f64::INFINITY]) {
        refused(&["Priorities", "alpha"], || Priorities::new(8, wrong));
        let mut priorities = Priorities::new(8, 0.5);
        priorities.add(0);
        refused(&["Priorities::sample", "beta"], || {
            priorities.sample::<2, _>(wrong, &mut StdRng::seed_from_u64(0));
        });
    }
    let mut priorities = Priorities::new(5, 0.5);
    refused(&["Priorities", "index 8 is beyond the capacity"], || priorities.add(8));
    refused(&["Priorities", "index 9 is beyond the capacity"], || priorities.update(&[9], &[1.0]));
    refused(&["Priorities::update", "1 errors for 2 indices"], || priorities.update(&[0, 1], &[1.0]));
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
        refused(&["ActivationMaximization", "decay"], || method.for_target(&model, &x, Class(0), &mut rng));
    }
    let method = ActivationMaximization { step_size: f32::NAN, ..Default::default() };
    refused(&["ActivationMaximization", "step_size"], || method.for_target(&model, &x, Class(0), &mut rng));
    let method = ActivationMaximization { jitter: usize::MAX, ..Default::default() };
    refused(&["ActivationMaximization", "jitter"], || method.for_target(&model, &x, Class(0), &mut rng));
}

/// Every number in the public interface that has a range, one per line: who checks it, its name, and a call with a
/// value out of range. New ones are added here.
#[test]
fn every_number_says_its_name_and_its_range() {
    use taut::data::{Augmentation, Csv, Prefetch};
    use taut::explain::{
        ActivationMaximization, Class, IntegratedGradients, Occlusion, SmoothGrad, checks::deletion_area, tiles,
    };
    use taut::loss::{CrossEntropy, Sum};
    use taut::metrics::{Accuracy, BinaryConfusion, MultilabelConfusion};
    use taut::nn::init::Distribution;
    use taut::nn::{BatchNormOptions, EmbeddingBag};
    use taut::optim::{
        Cosine, CosineRestarts, Exponential, Group, Milestones, OneCycle, Plateau, PlateauConfig, Schedule, Scheduler,
        StepDecay, WarmUp,
    };
    use taut::rl::{
        Breakout, CartPole, Environments, EpsilonGreedy, MultiStep, Priorities, ReplayMemory, RolloutStep, advantages,
    };
    use taut::text::{TokenCounts, Vocabulary, VocabularyOptions, WordVectors};
    const BAD: f64 = f64::NAN;
    let mut rng = StdRng::seed_from_u64(0);
    let x = Tensor::<Rank2<2, 3>>::ones();
    let zeros = Tensor::<Rank2<2, 3>>::zeros();
    let scalar = || Tape::inference().watch(Tensor::from([1.0])).sum();
    let layer = Linear::<3, 2>::init(&mut rng);
    let gradients = || layer.forward(Tape::inference().trace(x.clone())).sum().backward();
    let model = <(Flatten, Linear<4, 3>)>::init(&mut rng);
    let image = Tensor::<Rank4<1, 1, 2, 2>>::ones();
    let map = Tensor::<Rank3<1, 2, 2>>::ones();
    let labels = Tensor::from([0, 1]);
    let mut counts = TokenCounts::default();
    ["a", "b", "c"].into_iter().for_each(|word| counts.add(word));
    let vocabulary = Vocabulary::new(&counts, VocabularyOptions::default());
    let words = || WordVectors::new(vocabulary.clone(), Tensor::ones_with((3, 2)));
    let path = std::env::temp_dir().join(format!("taut-settings-{}.csv", std::process::id()));
    std::fs::write(&path, "class\n1\n").unwrap();
    let table = Csv::read_with_header(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let none: [RolloutStep<1>; 0] = [];
    let sgd = || Sgd::new(SgdConfig::default());
    let mut wrong = Vec::new();
    macro_rules! each {
        ($($owner:literal $name:literal: $call:expr;)*) => { $(
            let words = [$owner, concat!("`", $name, "` must be"), "and is"];
            wrong.extend(refusal(&words, || {
                let _ = $call;
            }));
        )* };
    }
    let random = || StdRng::seed_from_u64(0);
    let batch_norm = |options| BatchNorm1d::<3> { options, ..BatchNorm1d::init(&mut random()) };
    each! {
        // data
        "crop" "padding": Augmentation::new(&mut random()).crop(usize::MAX);
        "cutout" "size": Augmentation::new(&mut random()).cutout(usize::MAX);
        "Prefetch" "ahead": Prefetch::new(0..3, usize::MAX);
        "labels" "classes": table.labels("class", 0);
        "batches" "size": x.batches_of(0, &mut random());
        // text
        "nearest" "count": words().nearest("a", 0);
        "analogy" "count": words().analogy("a", "b", "c", 0);
        // metrics
        "Accuracy" "k": Accuracy::top(0);
        "BinaryConfusion" "threshold": BinaryConfusion::with_threshold(BAD);
        "MultilabelConfusion" "threshold": MultilabelConfusion::<2>::with_threshold(BAD);
        // losses
        "huber" "delta": x.clone().huber(&zeros, BAD);
        "huber" "delta": x.clone().huber_with(&zeros, -1.0, Sum);
        "binary_cross_entropy" "positive_weight": x.clone().binary_cross_entropy_with(&zeros, BAD, Sum);
        "cross_entropy" "label_smoothing": x.clone().cross_entropy_with(
            &labels, &CrossEntropy { label_smoothing: 1.5, ..Default::default() }, Sum);
        "negative_log_likelihood" "label_smoothing": x.clone().negative_log_likelihood_with(
            &labels, &CrossEntropy { label_smoothing: BAD, ..Default::default() }, Sum);
        "plus_l2" "lambda": scalar().plus_l2(&layer.weight, -1.0);
        // layers
        "LeakyRelu" "slope": LeakyRelu { slope: BAD }.forward(x.clone());
        "Elu" "alpha": Elu { alpha: BAD }.forward(x.clone());
        "LayerNorm" "epsilon": LayerNorm { epsilon: -1.0, ..LayerNorm::<3>::init(&mut random()) }.forward(x.clone());
        "GroupNorm" "epsilon": GroupNorm { epsilon: BAD, ..GroupNorm::<1, 3>::init(&mut random()) }.forward(x.clone());
        "BatchNorm" "epsilon": batch_norm(BatchNormOptions { epsilon: BAD, ..Default::default() }).forward(x.clone());
        "BatchNorm" "momentum": batch_norm(BatchNormOptions { momentum: 2.0, ..Default::default() }).forward(x.clone());
        "with_padding" "index": Embedding::<4, 2>::init(&mut random()).with_padding(4);
        "with_padding" "index": EmbeddingBag::<4, 2>::init(&mut random()).with_padding(4);
        "normal" "deviation": Distribution::normal(-1.0);
        // tensors
        "leaky_relu" "slope": x.clone().leaky_relu(f32::NAN);
        "elu" "alpha": x.clone().elu(f32::NAN);
        "clamp_min" "low": x.clone().clamp_min(f32::NAN);
        "clamp_max" "high": x.clone().clamp_max(f32::NAN);
        "is_close" "relative": x.is_close(&zeros, BAD, 0.0);
        "is_close" "absolute": x.is_close(&zeros, 0.0, -1.0);
        "linspace" "first": Tensor::<Rank1<3>>::linspace(f32::NAN, 1.0);
        "linspace" "last": Tensor::<Rank1<3>>::linspace(0.0, f32::INFINITY);
        "normal" "deviation": Tensor::<Rank1<3>>::normal(0.0, -1.0, &mut random());
        "truncated_normal" "deviation": Tensor::<Rank1<3>>::truncated_normal(0.0, -1.0, (-2.0, 2.0), &mut random());
        // gradients and optimizers
        "clip_norm" "limit": gradients().clip_norm(-1.0);
        "clip_value" "limit": gradients().clip_value(BAD);
        "scale" "factor": gradients().scale(BAD);
        "group" "learning_rate_factor": sgd().group(
            &layer, |layer| &layer.bias, Group { learning_rate_factor: -1.0, ..Default::default() });
        "group" "weight_decay_factor": sgd().group(
            &layer, |layer| &layer.bias, Group { weight_decay_factor: BAD, ..Default::default() });
        "learning_rate" "learning_rate": sgd().set_learning_rate(BAD);
        "Ema" "decay": Ema::new(&layer, 1.5);
        "move_towards" "rate": layer.clone().move_towards(&layer, BAD);
        "Cosine" "last": Cosine { steps: 3, last: BAD }.factor(1);
        "CosineRestarts" "last": CosineRestarts { steps: 3, growth: 1, last: -1.0 }.factor(1);
        "StepDecay" "factor": StepDecay { every: 3, factor: BAD }.factor(1);
        "StepDecay" "every": StepDecay { every: 0, factor: 0.5 }.factor(1);
        "Milestones" "factor": Milestones { steps: [3], factor: -0.5 }.factor(1);
        "Exponential" "factor": Exponential { factor: BAD }.factor(1);
        "OneCycle" "rise": OneCycle { steps: 9, rise: 2.0, ..Default::default() }.factor(1);
        "OneCycle" "first": OneCycle { steps: 9, first: BAD, ..Default::default() }.factor(1);
        "OneCycle" "last": OneCycle { steps: 9, last: -1.0, ..Default::default() }.factor(1);
        "WarmUp" "first": WarmUp { steps: 9, first: BAD }.factor(1);
        "Plateau" "factor": Plateau::new(PlateauConfig { factor: 2.0, ..Default::default() });
        "Plateau" "smallest_learning_rate":
            Plateau::new(PlateauConfig { smallest_learning_rate: BAD, ..Default::default() });
        "next_learning_rate" "learning_rate": Plateau::new(PlateauConfig::default()).next_learning_rate(BAD, 1.0);
        "set_base" "base": Scheduler::new(Exponential { factor: 0.5 }, &mut sgd()).set_base(BAD);
        // explanations
        "IntegratedGradients" "steps":
            IntegratedGradients { steps: 0, ..Default::default() }.explain(&model, &image, &image, Class(0));
        "SmoothGrad" "samples":
            SmoothGrad { samples: 0, ..Default::default() }.explain(&model, &image, Class(0), &mut random());
        "SmoothGrad" "deviation":
            SmoothGrad { deviation: -1.0, ..Default::default() }.explain(&model, &image, Class(0), &mut random());
        "Occlusion" "fill":
            Occlusion { patch: [1, 1], stride: [1, 1], fill: f32::NAN }.explain(&model, &image, Class(0));
        "ActivationMaximization" "jitter": ActivationMaximization { jitter: usize::MAX, ..Default::default() }
            .for_target(&model, &image, Class(0), &mut random());
        "ActivationMaximization" "step_size": ActivationMaximization { step_size: f32::NAN, ..Default::default() }
            .for_target(&model, &image, Class(0), &mut random());
        "ActivationMaximization" "decay": ActivationMaximization { decay: 2.0, ..Default::default() }
            .for_target(&model, &image, Class(0), &mut random());
        "deletion_area" "steps": deletion_area(&model, &image, &map, &image, Class(0), 0);
        "tiles" "columns": tiles(&map, 0);
        // agents
        "with_time_limit" "steps": Environments::<CartPole, 1>::new(0).with_time_limit(Some(0));
        "EpsilonGreedy" "first": EpsilonGreedy { first: 2.0, last: 0.1, steps: 10 }.at(3);
        "EpsilonGreedy" "last": EpsilonGreedy { first: 0.5, last: BAD, steps: 10 }.at(3);
        "MultiStep" "steps": MultiStep::<CartPole, 1>::new(0, 0.9);
        "MultiStep" "discount": MultiStep::<CartPole, 1>::new(3, f32::NAN);
        "advantages" "discount": advantages(&none, f32::NAN, 0.5);
        "advantages" "lambda": advantages(&none, 0.5, 2.0);
        "Priorities" "capacity": Priorities::new(0, 0.5);
        "Priorities" "capacity": Priorities::new(usize::MAX, 0.5);
        "Priorities" "alpha": Priorities::new(8, BAD);
        "Priorities::sample" "beta":
            { let mut all = Priorities::new(8, 0.5); all.add(0); all.sample::<2, _>(BAD, &mut random()).indices };
        "ReplayMemory" "capacity": ReplayMemory::<CartPole>::new(0);
        "with_sticky_actions" "probability": Breakout::default().with_sticky_actions(BAD);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
