//! Learning rates and weight decay for parts of a model.

use super::range;
use crate::nn::{Kind, Leaf, Parameters, Path, Visitor};
use std::collections::HashSet;

/// How a part of a model is trained, compared with the rest: see [`Optimizer::group`](super::Optimizer::group).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
    /// A factor on the learning rate, also on one that a schedule sets. 1 by default.
    pub learning_rate: f64,
    /// A factor on weight decay. 1 by default.
    pub weight_decay: f64,
}

impl Default for Group {
    fn default() -> Self {
        Group { learning_rate: 1.0, weight_decay: 1.0 }
    }
}

/// The groups of a model. Parameters are kept by path, so that they are also found in a model that was loaded.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    members: Vec<(HashSet<String>, Group)>,
    biases_spared: bool,
}

impl Groups {
    #[track_caller]
    pub fn add<M: Parameters + ?Sized, P: Parameters + ?Sized>(&mut self, model: &M, part: &P, group: Group) {
        let checked = range::not_negative("group", "learning_rate", group.learning_rate)
            .and_then(|()| range::not_negative("group", "weight_decay", group.weight_decay));
        if let Err(wrong) = checked {
            panic!("{wrong}");
        }
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
            factors.learning_rate *= group.learning_rate;
            factors.weight_decay *= group.weight_decay;
        }
        if self.biases_spared && sizes.len() <= 1 {
            factors.weight_decay = 0.0;
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
    model.visit(&mut Path::default(), &mut list);
    list.0
}
