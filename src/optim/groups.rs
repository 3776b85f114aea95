//! Learning rates and weight decay for parts of a model.

use crate::numbers::range::{expect, not_negative};
use crate::params::{Kind, Leaf, ParameterPath, Parameters, Visitor};
use std::collections::HashSet;

/// How a part of a model is trained, compared with the rest: see [`Optimizer::group`](super::Optimizer::group).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
    /// A factor on the learning rate, also on one that a schedule sets. 1 by default.
    pub learning_rate_factor: f64,
    /// A factor on weight decay. 1 by default.
    pub weight_decay_factor: f64,
    // settings may be added, so literals must end in `..Default::default()`
    #[doc(hidden)]
    pub more: (),
}

impl Default for Group {
    fn default() -> Self {
        Group { learning_rate_factor: 1.0, weight_decay_factor: 1.0, more: () }
    }
}

/// The groups of a model. Parameters are identified by path, so that they are also found in a loaded model.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    members: Vec<(HashSet<String>, Group)>,
    biases_spared: bool,
}

impl Groups {
    #[track_caller]
    pub fn add<M: Parameters + ?Sized, P: Parameters + ?Sized>(&mut self, model: &M, part: &P, group: Group) {
        let checked = not_negative("group", "learning_rate_factor", group.learning_rate_factor)
            .and_then(|()| not_negative("group", "weight_decay_factor", group.weight_decay_factor));
        expect(checked);
        let chosen: HashSet<u64> = parameters(part).into_iter().map(|(id, _)| id).collect();
        let inside = parameters(model).into_iter().filter(|(id, _)| chosen.contains(id));
        let paths: HashSet<String> = inside.map(|(_, path)| path).collect();
        if paths.is_empty() {
            panic!("group: this part has no parameters, or none that are in the model");
        }
        self.members.push((paths, group));
    }

    pub fn spare_biases(&mut self) {
        self.biases_spared = true;
    }

    /// The factors of a parameter.
    pub fn factors(&self, path: &str, sizes: &[usize]) -> Group {
        let mut factors = Group::default();
        for (_, group) in self.members.iter().filter(|(paths, _)| paths.contains(path)) {
            factors.learning_rate_factor *= group.learning_rate_factor;
            factors.weight_decay_factor *= group.weight_decay_factor;
        }
        if self.biases_spared && sizes.len() <= 1 {
            factors.weight_decay_factor = 0.0;
        }
        factors
    }
}

/// The id and path of each parameter.
fn parameters<M: Parameters + ?Sized>(model: &M) -> Vec<(u64, String)> {
    struct List(Vec<(u64, String)>);
    impl Visitor for List {
        fn leaf(&mut self, path: &str, leaf: Leaf<'_>) {
            if leaf.kind != Kind::Buffer {
                self.0.push((leaf.id, path.to_string()));
            }
        }
    }
    let mut list = List(Vec::new());
    model.visit(&mut ParameterPath::default(), &mut list);
    list.0
}

#[cfg(test)]
mod tests {
    use crate::params::ValuesMut;
    use crate::prelude::*;

    type Model = (Linear<2, 2>, Relu, Linear<2, 1>);

    /// The steps that the parameters of a model take from a value of 1, with gradients of 1.
    fn steps(optimizer: impl FnOnce(&Model) -> Sgd) -> [f32; 4] {
        let mut model = Model::init(&mut StdRng::seed_from_u64(0));
        let mut optimizer = optimizer(&model);
        model.for_each_parameter_mut(|_, leaf| match leaf.values {
            ValuesMut::F32(values) => values.fill(1.0),
            ValuesMut::F64(_) => unreachable!("the model is of f32"),
        });
        let tape = Tape::inference();
        let (first, last) = (&model.0, &model.2);
        let weights = first.weight.on(&tape).sum() + last.weight.on(&tape).sum();
        let loss = weights + first.bias.on(&tape).sum() + last.bias.on(&tape).sum();
        optimizer.step(&mut model, &loss.backward());
        let step = |value: f32| ((1.0 - value) * 1e4).round() / 1e4;
        let (first, last) = (&model.0, &model.2);
        [
            step(first.weight.value()[[0, 0]]),
            step(first.bias.value()[[0]]),
            step(last.weight.value()[[0, 0]]),
            step(last.bias.value()[[0]]),
        ]
    }

    fn sgd(weight_decay: WeightDecay) -> Sgd {
        Sgd::new(SgdConfig { learning_rate: 0.1, momentum: Momentum::None, weight_decay, ..Default::default() })
    }

    #[test]
    fn parts_of_a_model_have_rates_of_their_own() {
        let slow = Group { learning_rate_factor: 0.5, ..Default::default() };
        let plain = || sgd(WeightDecay::None);
        assert_eq!(steps(|_| plain()), [0.1; 4]);
        assert_eq!(steps(|model| plain().group(model, |m| &m.0, slow)), [0.05, 0.05, 0.1, 0.1]);
        let twice = |model: &Model| plain().group(model, |m| &m.2, slow).group(model, |m| &m.2.bias, slow);
        assert_eq!(steps(twice), [0.1, 0.1, 0.05, 0.025]);
        // the rate of a schedule is multiplied too
        let scheduled = |model: &Model| {
            let mut optimizer = plain().group(model, |m| &m.0, slow);
            optimizer.set_learning_rate(0.2);
            optimizer
        };
        assert_eq!(steps(scheduled), [0.1, 0.1, 0.2, 0.2]);
    }

    #[test]
    fn weight_decay_spares_what_it_should() {
        for decay in [WeightDecay::Coupled(0.2), WeightDecay::Decoupled(0.2)] {
            assert_eq!(steps(|_| sgd(decay)), [0.12; 4]);
            assert_eq!(steps(|_| sgd(decay).no_decay_of_biases()), [0.12, 0.1, 0.12, 0.1]);
            let none = Group { weight_decay_factor: 0.0, ..Default::default() };
            assert_eq!(steps(|model| sgd(decay).group(model, |m| &m.0, none)), [0.1, 0.1, 0.12, 0.12]);
        }
    }

    #[test]
    #[should_panic(expected = "group: this part has no parameters, or none that are in the model")]
    fn a_part_without_parameters_is_refused() {
        let model = Model::init(&mut StdRng::seed_from_u64(0));
        let _ = sgd(WeightDecay::None).group(&model, |m| &m.1, Group::default());
    }

    #[test]
    #[should_panic(expected = "group: `learning_rate_factor` must be a finite number of at least 0, and is -1")]
    fn a_negative_factor_is_refused() {
        let model = Model::init(&mut StdRng::seed_from_u64(0));
        let _ =
            sgd(WeightDecay::None).group(&model, |m| &m.0, Group { learning_rate_factor: -1.0, ..Default::default() });
    }
}
