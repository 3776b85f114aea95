//! Schedules: the learning rates of PyTorch.

mod common;

use common::{F64, case};
use taut::optim::{
    Anneal, Cosine, CosineRestarts, Exponential, Milestones, OneCycle, Plateau, PlateauConfig, Schedule, Scheduler,
    StepDecay, Threshold, WarmUp,
};
use taut::prelude::*;

const BASE: f64 = 0.5;

fn optimizer() -> Sgd {
    Sgd::new(SgdConfig { learning_rate: BASE, ..Default::default() })
}

#[track_caller]
fn agrees(name: &str, schedule: impl Schedule) {
    let mut optimizer = optimizer();
    let mut scheduler = Scheduler::new(schedule, &mut optimizer);
    let rates = Tensor::<Rank1<20>, f64>::from_fn(|_| {
        let rate = optimizer.learning_rate();
        scheduler.step(&mut optimizer);
        rate
    });
    case("schedules", name).expect_output(&rates, F64);
}

#[test]
fn rates_agree() {
    agrees("step", StepDecay { every: 4, factor: 0.3 });
    agrees("milestones", Milestones { steps: [3, 4, 11], factor: 0.5 });
    agrees("exponential", Exponential { factor: 0.9 });
    agrees("cosine", Cosine { steps: 20, last: 0.1 });
    agrees("restarts", CosineRestarts { steps: 3, growth: 2, last: 0.1 });
    agrees("warm_up", WarmUp { steps: 8, first: 0.1 });
    agrees("one_cycle", OneCycle { steps: 21, ..Default::default() });
    let linear = OneCycle { steps: 24, rise: 0.4, first: 0.1, last: 0.001, anneal: Anneal::Linear };
    agrees("one_cycle linear", linear);
}

#[test]
fn schedules_put_together_agree() {
    agrees("warm_up then cosine", WarmUp { steps: 5, first: 0.1 }.then(5, Cosine { steps: 15, last: 0.1 }));
    agrees("warm_up times exponential", WarmUp { steps: 8, first: 0.1 }.times(Exponential { factor: 0.9 }));
}

#[test]
fn plateaus_agree() {
    let config = PlateauConfig { factor: 0.3, patience: 2, ..Default::default() };
    let absolute = PlateauConfig {
        patience: 1,
        threshold: Threshold::Absolute(0.05),
        cooldown: 2,
        smallest_learning_rate: 0.02,
        ..config
    };
    let largest = PlateauConfig { factor: 0.5, patience: 1, larger_is_better: true, ..Default::default() };
    for (name, config) in [("plateau", config), ("plateau absolute", absolute), ("plateau largest", largest)] {
        let case = case("schedules", name);
        let measured: Tensor<Rank1<20>, f64> = case.input(0);
        let (mut optimizer, mut plateau) = (optimizer(), Plateau::new(config));
        let rates = Tensor::<Rank1<20>, f64>::from_fn(|[i]| {
            let rate = optimizer.learning_rate();
            optimizer.set_learning_rate(plateau.next_learning_rate(rate, measured[[i]]));
            rate
        });
        case.expect_output(&rates, F64);
    }
}

#[test]
fn a_restored_scheduler_goes_on_as_before() {
    let schedule = WarmUp { steps: 5, first: 0.1 }.then(5, Cosine { steps: 15, last: 0.1 });
    let mut optimizer = optimizer();
    let mut scheduler = Scheduler::new(schedule, &mut optimizer);
    for _ in 0..25 {
        let mut other = Sgd::new(SgdConfig { learning_rate: 0.1, ..Default::default() });
        let mut resumed = Scheduler::new(schedule, &mut other);
        resumed.restore(&scheduler.snapshot()).unwrap();
        assert_eq!(resumed.learning_rate().to_bits(), optimizer.learning_rate().to_bits());
        scheduler.step(&mut optimizer);
        resumed.step(&mut other);
        assert_eq!(other.learning_rate().to_bits(), optimizer.learning_rate().to_bits());
    }
}
