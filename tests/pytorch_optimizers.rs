//! Optimizers: six steps, equal to PyTorch's, for every setting that PyTorch has too.

mod common;

use common::{Entry, F32, F64, case};
use taut::optim::Rule;
use taut::prelude::*;

#[derive(Parameters)]
struct Model<E: Float> {
    theta: Param<Rank2<2, 5>, E>,
}

/// The gradient of sum(curvature theta^2) / 2 + sum(slope theta), where the slopes change from step to step.
#[track_caller]
fn agrees<E: Float + Entry, R: Rule>(name: &str, rule: R, tolerance: f64) {
    let case = case("optimizers", name);
    let mut model = Model { theta: Param::new(case.input::<Rank2<2, 5>, E>(0)) };
    let curvature: Tensor<Rank2<2, 5>, E> = case.input(1);
    let slopes: Tensor<Rank3<6, 2, 5>, E> = case.input(2);
    let mut optimizer = Optimizer::new(rule);
    let mut trajectory = Vec::new();
    for slope in slopes.as_slice().chunks(10) {
        let slope = Tensor::from_slice(slope, Rank2::<2, 5>::default()).unwrap();
        let tape = Tape::inference();
        let curvature = tape.trace(curvature.clone());
        let theta = model.theta.on(&curvature);
        let loss = (curvature * &theta * &theta * E::of(0.5)).sum() + (theta * slope).sum();
        optimizer.step(&mut model, &loss.backward());
        trajectory.extend_from_slice(model.theta.value().as_slice());
    }
    case.expect_output(&Tensor::from_vec(trajectory, Rank3::<6, 2, 5>::default()).unwrap(), tolerance);
}

#[track_caller]
fn check<R: Rule + Clone>(name: &str, rule: R) {
    agrees::<f32, _>(name, rule.clone(), F32);
    agrees::<f64, _>(name, rule, F64);
}

#[test]
fn sgd() {
    let config = SgdConfig { learning_rate: 0.1, momentum: Momentum::None, ..Default::default() };
    let weight_decay = WeightDecay::Coupled(0.05);
    check("sgd", config);
    check("sgd coupled", SgdConfig { weight_decay, ..config });
    check("sgd classic", SgdConfig { weight_decay, momentum: Momentum::Classic(0.9), ..config });
    check("sgd nesterov", SgdConfig { momentum: Momentum::Nesterov(0.9), ..config });
    check("sgd nesterov coupled", SgdConfig { weight_decay, momentum: Momentum::Nesterov(0.9), ..config });
}

#[test]
fn rms_prop() {
    let config = RmsPropConfig { learning_rate: 0.05, decay: 0.9, ..Default::default() };
    let momentum = RmsMomentum::OfSteps(0.8);
    check("rms_prop", config);
    check("rms_prop coupled", RmsPropConfig { epsilon: 1e-3, weight_decay: WeightDecay::Coupled(0.05), ..config });
    check("rms_prop centred", RmsPropConfig { centred: true, ..config });
    check("rms_prop momentum", RmsPropConfig { momentum, ..config });
    check("rms_prop centred momentum", RmsPropConfig { centred: true, momentum, ..config });
}

#[test]
fn adam() {
    let config = AdamConfig { learning_rate: 0.05, ..Default::default() };
    let coupled = AdamConfig {
        mean_decay: 0.8,
        square_decay: 0.95,
        epsilon: 1e-3,
        weight_decay: WeightDecay::Coupled(0.05),
        ..config
    };
    check("adam", config);
    check("adam coupled", coupled);
    check("adam decoupled", AdamConfig { weight_decay: WeightDecay::Decoupled(0.05), ..config });
    check("adam ams_grad", AdamConfig { ams_grad: true, mean_decay: 0.8, square_decay: 0.6, ..config });
}

#[test]
fn ada_grad() {
    let config = AdaGradConfig { learning_rate: 0.05, ..Default::default() };
    let all = AdaGradConfig {
        learning_rate_decay: 0.1,
        initial_sum: 0.5,
        epsilon: 1e-3,
        weight_decay: WeightDecay::Coupled(0.05),
        ..config
    };
    check("ada_grad", config);
    check("ada_grad all", all);
}
