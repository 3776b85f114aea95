//! Settings as JSON and back, for the records of runs. With the feature `serde`.

#![cfg(feature = "serde")]

use serde_json::{Value, json};
use std::fmt::Debug;
use taut::data::CsvOptions;
use taut::explain::{ActivationMaximization, IntegratedGradients, Occlusion, SmoothGrad};
use taut::files::Limit;
use taut::nn::BatchNormOptions;
use taut::optim::{
    Anneal, Cosine, CosineRestarts, Exponential, Milestones, OneCycle, PlateauConfig, Schedule, StepDecay, Threshold,
    WarmUp,
};
use taut::prelude::*;
use taut::record::EarlyStoppingConfig;
use taut::rl::EpsilonGreedy;
use taut::text::word2vec;
use taut::text::{LineOptions, VectorOptions, VocabularyOptions};

/// Survives the way to JSON and back, and an unknown setting is an error.
#[track_caller]
fn comes_back<C: serde::Serialize + serde::de::DeserializeOwned + Debug>(config: C) -> Value {
    let value = serde_json::to_value(&config).unwrap();
    let again: C = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(format!("{again:?}"), format!("{config:?}"));
    let mut more = value.clone();
    if let Some(fields) = more.as_object_mut() {
        fields.insert("learnin_rate".to_string(), json!(1.0));
        let error = serde_json::from_value::<C>(more).unwrap_err().to_string();
        assert!(error.contains("unknown"), "{error}");
    }
    value
}

#[test]
fn settings_of_optimizers() {
    let weight_decay = WeightDecay::Decoupled(0.01);
    let adam = comes_back(AdamConfig { learning_rate: 3e-4, weight_decay, ams_grad: true, ..Default::default() });
    let expected = json!({
        "learning_rate": 3e-4, "mean_decay": 0.9, "square_decay": 0.999, "epsilon": 1e-8,
        "weight_decay": {"Decoupled": 0.01}, "ams_grad": true, "lazy": false,
    });
    assert_eq!(adam, expected);
    for momentum in [Momentum::None, Momentum::Average(0.5), Momentum::Classic(0.9), Momentum::Nesterov(0.9)] {
        comes_back(SgdConfig { momentum, ..Default::default() });
    }
    for momentum in [RmsMomentum::None, RmsMomentum::OfGradients(0.5), RmsMomentum::OfSteps(0.9)] {
        comes_back(RmsPropConfig { momentum, weight_decay: WeightDecay::Coupled(0.1), ..Default::default() });
    }
    comes_back(AdaGradConfig::default());
    // settings that are not given keep their defaults
    let sgd: SgdConfig = serde_json::from_value(json!({"learning_rate": 0.5, "momentum": {"Nesterov": 0.9}})).unwrap();
    let expected = SgdConfig { learning_rate: 0.5, momentum: Momentum::Nesterov(0.9), ..Default::default() };
    assert_eq!(sgd, expected);
}

#[test]
fn schedules() {
    comes_back(PlateauConfig { threshold: Threshold::Absolute(0.5), ..Default::default() });
    comes_back(EarlyStoppingConfig { patience: 3, threshold: Threshold::Relative(0.5), ..Default::default() });
    comes_back(Cosine { steps: 10, last: 0.1 });
    comes_back(CosineRestarts { steps: 10, growth: 2, last: 0.1 });
    comes_back(StepDecay { every: 3, factor: 0.5 });
    comes_back(Exponential { factor: 0.5 });
    comes_back(OneCycle { steps: 9, rise: 0.3, first: 0.04, last: 1e-4, anneal: Anneal::Linear });
    comes_back(WarmUp { steps: 5, first: 0.1 }.then(5, Cosine { steps: 10, last: 0.0 }));
    comes_back(WarmUp { steps: 5, first: 0.1 }.times(Exponential { factor: 0.9 }));
    let milestones = serde_json::to_value(Milestones { steps: [3, 7], factor: 0.1 }).unwrap();
    assert_eq!(milestones, json!({"steps": [3, 7], "factor": 0.1}));
}

#[test]
fn options_of_layers_data_and_explanations() {
    comes_back(BatchNormOptions { momentum: 0.2, ..Default::default() });
    comes_back(word2vec::Config::default());
    comes_back(VectorOptions::default());
    comes_back(LineOptions { limit: Limit::Bytes(7), ..Default::default() });
    comes_back(EpsilonGreedy { first: 1.0, last: 0.1, steps: 100 });
    comes_back(SmoothGrad::default());
    comes_back(IntegratedGradients::default());
    comes_back(ActivationMaximization::default());
    comes_back(Occlusion { patch: [3, 3], stride: [1, 1], fill: 0.5 });
    let csv = serde_json::to_value(CsvOptions { missing: &["?"], ..Default::default() }).unwrap();
    assert_eq!((&csv["missing"], &csv["limit"]), (&json!(["?"]), &json!("InProportion")));
    let vocabulary = serde_json::to_value(VocabularyOptions { special: &["<pad>"], ..Default::default() }).unwrap();
    assert_eq!(vocabulary["special"], json!(["<pad>"]));
}
