//! Two models at once: moving averages, target networks, distances.

use super::parameters::{StorageRef, each_parameter, each_parameter_mut};
use super::{Kind, Leaf, LeafMut, Parameters, Values, ValuesMut};
use crate::kernels::elementwise;
use crate::numbers::{Float, for_float};
use crate::shape::show_sizes;
use crate::tape::AnyStorage;
use std::ops::Range;

/// Models of the same structure, leaf by leaf.
///
/// The two may be of different types, if their parameters have the same names, shapes and types of elements, in the
/// same order: a `Frozen<M>` and an `M`, for example.
pub trait Pairs: Parameters {
    /// Calls `f` with each parameter and buffer of this model and the one of the same name in `other`.
    ///
    /// # Panics
    /// If the two do not hold the same parameters and buffers.
    ///
    /// ```
    /// use taut::params::Values;
    /// use taut::prelude::*;
    /// let mut rng = StdRng::seed_from_u64(0);
    /// let (a, b) = (Linear::<4, 3>::init(&mut rng), Linear::<4, 3>::init(&mut rng));
    /// let mut largest = Vec::new();
    /// a.for_each_pair(&b, |name, a, b| {
    ///     let (Values::F32(a), Values::F32(b)) = (a.values, b.values) else { unreachable!("both are of f32") };
    ///     let difference = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    ///     largest.push(format!("{name} {}", difference > 0.0));
    /// });
    /// assert_eq!(largest, ["weight true", "bias true"]);
    /// ```
    #[track_caller]
    fn for_each_pair<P, F>(&self, other: &P, mut f: F)
    where
        Self: Sized,
        P: Parameters,
        F: FnMut(&str, Leaf<'_>, Leaf<'_>),
    {
        each_pair(self, other, &mut f);
    }

    /// The same, mutably for this model.
    ///
    /// # Panics
    /// If the two do not hold the same parameters and buffers. Those before the first that differs were shown to `f`.
    #[track_caller]
    fn for_each_pair_mut<P, F>(&mut self, other: &P, mut f: F)
    where
        Self: Sized,
        P: Parameters,
        F: FnMut(&str, LeafMut<'_>, Leaf<'_>),
    {
        each_pair_mut(self, other, &mut f);
    }

    /// Copies the values of `other`, buffers included: updates a target network.
    ///
    /// # Panics
    /// If the two do not hold the same parameters and buffers.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let mut rng = StdRng::seed_from_u64(0);
    /// let (online, mut target) = (Linear::<4, 3>::init(&mut rng), Linear::<4, 3>::init(&mut rng));
    /// assert!(target.distance_to(&online) > 0.0);
    /// target.copy_from(&online);
    /// assert_eq!(target.distance_to(&online), 0.0);
    /// ```
    #[doc(alias = "load_state_dict")]
    #[track_caller]
    fn copy_from<P: Parameters>(&mut self, other: &P)
    where
        Self: Sized,
    {
        each_pair_mut(self, other, &mut |_, leaf, other| copy(leaf.values, other.values));
    }

    /// Moves every parameter part of the way to that of `other`, and copies the buffers (running statistics):
    ///
    /// theta <- theta + rate (other - theta)
    ///
    /// With a rate of 1 - decay this is the exponential moving average of the weights of a model in training; with
    /// a small rate tau, the soft update of a target network (Lillicrap et al., "Continuous control with deep
    /// reinforcement learning", 2015). PyTorch's `AveragedModel` copies the buffers too.
    ///
    /// # Panics
    /// If not 0 <= rate <= 1, or the two do not hold the same parameters and buffers.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let model = Bias::<2> { bias: Tensor::from([1.0, 4.0]).into() };
    /// let mut average = Bias::<2> { bias: Tensor::from([0.0, 2.0]).into() };
    /// average.move_towards(&model, 0.25);
    /// assert_eq!(average.bias.value().to_array(), [0.25, 2.5]);
    /// ```
    #[doc(alias = "ema")]
    #[doc(alias = "lerp")]
    #[doc(alias = "polyak")]
    #[doc(alias = "soft_update")]
    #[track_caller]
    fn move_towards<P: Parameters>(&mut self, other: &P, rate: f64)
    where
        Self: Sized,
    {
        assert!((0.0..=1.0).contains(&rate), "move_towards: `rate` must be from 0 to 1, and is {rate}");
        each_pair_mut(self, other, &mut |_, leaf, other| move_towards(leaf, &other, rate));
    }

    /// The Euclidean distance between the parameters of the two models; buffers are left out.
    ///
    /// # Panics
    /// If the two do not hold the same parameters and buffers.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let bias = |values| Bias::<2> { bias: Tensor::from(values).into() };
    /// assert_eq!(bias([1.0, 2.0]).distance_to(&bias([4.0, 6.0])), 5.0);
    /// ```
    #[track_caller]
    fn distance_to<P: Parameters>(&self, other: &P) -> f64
    where
        Self: Sized,
    {
        let mut sum = 0.0;
        each_pair(self, other, &mut |_, leaf, other| sum += squared_distance(&leaf, &other));
        sum.sqrt()
    }
}
impl<M: Parameters + ?Sized> Pairs for M {}

// Compiled once for all models, as each_parameter is.

#[track_caller]
fn each_pair(model: &dyn Parameters, other: &dyn Parameters, f: &mut dyn FnMut(&str, Leaf<'_>, Leaf<'_>)) {
    let mut others = Others::of(other);
    each_parameter(model, &mut |name, leaf| {
        if let Some(other) = others.next(name, leaf.sizes, leaf.values.element()) {
            f(name, leaf, other);
        }
    });
    others.finish();
}

#[track_caller]
fn each_pair_mut(model: &mut dyn Parameters, other: &dyn Parameters, f: &mut dyn FnMut(&str, LeafMut<'_>, Leaf<'_>)) {
    let mut others = Others::of(other);
    each_parameter_mut(model, &mut |name, leaf| {
        if let Some(other) = others.next(name, leaf.sizes, leaf.values.element()) {
            f(name, leaf, other);
        }
    });
    others.finish();
}

fn copy(values: ValuesMut<'_>, other: Values<'_>) {
    match (values, other) {
        (ValuesMut::F32(values), Values::F32(other)) => values.copy_from_slice(other),
        (ValuesMut::F64(values), Values::F64(other)) => values.copy_from_slice(other),
        _ => unreachable!("a pair is of one type"),
    }
}

fn move_towards(leaf: LeafMut<'_>, other: &Leaf<'_>, rate: f64) {
    match (leaf.kind, leaf.values, other.values) {
        (Kind::Buffer, values, other) => copy(values, other),
        (_, ValuesMut::F32(values), Values::F32(other)) => elementwise::move_towards(values, other, rate as f32),
        (_, ValuesMut::F64(values), Values::F64(other)) => elementwise::move_towards(values, other, rate),
        _ => unreachable!("a pair is of one type"),
    }
}

fn squared_distance(leaf: &Leaf<'_>, other: &Leaf<'_>) -> f64 {
    match (leaf.values, other.values) {
        _ if leaf.kind == Kind::Buffer => 0.0,
        (Values::F32(a), Values::F32(b)) => a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum(),
        (Values::F64(a), Values::F64(b)) => a.iter().zip(b).map(|(&a, &b)| (a - b).powi(2)).sum(),
        _ => unreachable!("a pair is of one type"),
    }
}

/// The leaves of the second model. A visitor sees a leaf only briefly, so what is kept of it shares its buffer.
struct Others {
    /// All names, one after the other.
    names: String,
    sizes: Vec<usize>,
    leaves: Vec<Other>,
    /// The number of leaves of the first model visited.
    visited: usize,
    wrong: Option<String>,
}

struct Other {
    name: Range<usize>,
    sizes: Range<usize>,
    kind: Kind,
    id: u64,
    storage: AnyStorage,
}

impl Others {
    fn of(model: &dyn Parameters) -> Self {
        let mut others =
            Others { names: String::new(), sizes: Vec::new(), leaves: Vec::new(), visited: 0, wrong: None };
        each_parameter(model, &mut |name, leaf| {
            let (name_at, sizes_at) = (others.names.len(), others.sizes.len());
            others.names.push_str(name);
            others.sizes.extend(leaf.sizes);
            let storage = match leaf.storage {
                StorageRef::F32(storage) => AnyStorage::F32(storage.clone()),
                StorageRef::F64(storage) => AnyStorage::F64(storage.clone()),
            };
            others.leaves.push(Other {
                name: name_at..others.names.len(),
                sizes: sizes_at..others.sizes.len(),
                kind: leaf.kind,
                id: leaf.id,
                storage,
            });
        });
        others
    }

    /// The leaf that pairs with the next one of the first model; if there is none, that is noted.
    fn next(&mut self, name: &str, sizes: &[usize], element: &str) -> Option<Leaf<'_>> {
        if self.wrong.is_some() {
            return None;
        }
        let describe = |name: &str, sizes: &[usize], element: &str| {
            format!("`{name}` of shape {} and type {element}", show_sizes(sizes))
        };
        let Some(other) = self.leaves.get(self.visited) else {
            self.wrong = Some(format!("the first has {}, and the second has no more", describe(name, sizes, element)));
            return None;
        };
        let (other_name, other_sizes) = (&self.names[other.name.clone()], &self.sizes[other.sizes.clone()]);
        let other_element = other.storage.element();
        if (other_name, other_sizes, other_element) != (name, sizes, element) {
            let (mine, other) = (describe(name, sizes, element), describe(other_name, other_sizes, other_element));
            self.wrong = Some(format!("the first has {mine} where the second has {other}"));
            return None;
        }
        self.visited += 1;
        let values = for_float!(&other.storage, storage => Float::wrap(storage.as_slice()));
        let storage = for_float!(&other.storage, storage => Float::wrap(storage));
        Some(Leaf { kind: other.kind, id: other.id, sizes: other_sizes, values, storage })
    }

    #[track_caller]
    fn finish(self) {
        let wrong = self.wrong.or_else(|| {
            let other = self.leaves.get(self.visited)?;
            Some(format!("the second has `{}`, and the first has no more", &self.names[other.name.clone()]))
        });
        if let Some(wrong) = wrong {
            panic!("these two models are not a pair: {wrong}");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::params::{Kind, Values, ValuesMut};
    use crate::prelude::*;

    type Model = (Linear<3, 4>, BatchNorm1d<4>, Frozen<Linear<4, 2, f64>>, Embedding<5, 2>);

    fn model(seed: u64) -> Model {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut model = Model::init(&mut rng);
        let mut number = || f64::from(Tensor::<Rank0>::randn(&mut rng).item());
        model.for_each_parameter_mut(|_, leaf| match leaf.values {
            ValuesMut::F32(values) => values.fill_with(|| number() as f32),
            ValuesMut::F64(values) => values.fill_with(&mut number),
        });
        model
    }

    fn numbers(model: &impl Parameters) -> Vec<(Kind, f64)> {
        let mut all = Vec::new();
        model.for_each_parameter(|_, leaf| match leaf.values {
            Values::F32(values) => all.extend(values.iter().map(|&x| (leaf.kind, f64::from(x)))),
            Values::F64(values) => all.extend(values.iter().map(|&x| (leaf.kind, x))),
        });
        all
    }

    #[test]
    fn moving_averages_are_those_of_the_formula() {
        let (online, mut average) = (model(0), model(1));
        let (before, online_numbers) = (numbers(&average), numbers(&online));
        let keeps = average.clone();
        average.move_towards(&online, 0.25);
        for ((&(kind, old), &(_, new)), (_, found)) in before.iter().zip(&online_numbers).zip(numbers(&average)) {
            let expected = if kind == Kind::Buffer { new } else { old + 0.25 * (new - old) };
            assert!((found - expected).abs() < 1e-6, "{kind:?} {found} {expected}");
        }
        assert_eq!(numbers(&keeps), before, "a clone shares the numbers no longer");
        assert_eq!(numbers(&online), online_numbers);
        // the ends
        average.move_towards(&online, 0.0);
        assert!(average.distance_to(&online) > 0.1);
        average.copy_from(&online);
        assert_eq!((numbers(&average), average.distance_to(&online)), (numbers(&online), 0.0));
        // a model that shares all its numbers with the other
        let mut clone = online.clone();
        clone.move_towards(&online, 0.5);
        assert_eq!(numbers(&clone), numbers(&online));
    }

    #[test]
    fn distances_leave_buffers_out() {
        let (a, b) = (model(0), model(1));
        let squares = numbers(&a).into_iter().zip(numbers(&b)).filter(|((kind, _), _)| *kind != Kind::Buffer);
        let expected: f64 = squares.map(|((_, a), (_, b))| (a - b).powi(2)).sum();
        assert!((a.distance_to(&b) - expected.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn wrappers_make_no_difference() {
        let (a, mut b) = (model(0), Box::new(Frozen(model(1))));
        b.copy_from(&a);
        assert_eq!(a.distance_to(&b), 0.0);
        let mut names = Vec::new();
        a.for_each_pair(&b, |name, a, b| names.push((name.to_string(), a.kind, b.kind)));
        assert_eq!(names[0], ("0.weight".to_string(), Kind::Parameter, Kind::Frozen));
        assert_eq!(names.len(), 9);
    }

    fn refusal(pair: impl FnOnce()) -> String {
        *std::panic::catch_unwind(std::panic::AssertUnwindSafe(pair)).unwrap_err().downcast::<String>().unwrap()
    }

    #[test]
    fn models_that_are_no_pair_are_refused() {
        let mut rng = StdRng::seed_from_u64(0);
        let two = [0; 2].map(|_| Linear::<2, 2>::init(&mut rng)).to_vec();
        let three = [0; 3].map(|_| Linear::<2, 2>::init(&mut rng)).to_vec();
        let expected = "these two models are not a pair: the first has `2.weight` of shape (2, 2) and type f32, and \
                        the second has no more";
        assert_eq!(refusal(|| three.clone().copy_from(&two)), expected);
        assert!(
            refusal(|| two.for_each_pair(&three, |_, _, _| {}))
                .ends_with("the second has `2.weight`, and the first has no more")
        );
        let wide = Linear::<3, 2>::init(&mut rng);
        let message = refusal(|| two[0].clone().move_towards(&wide, 0.5));
        assert!(message.ends_with(
            "the first has `weight` of shape (2, 2) and type f32 \
             where the second has `weight` of shape (2, 3) and type f32"
        ));
        let double = Linear::<2, 2, f64>::init(&mut rng);
        assert!(refusal(|| two[0].clone().copy_from(&double)).contains("and type f64"));
        let message = refusal(|| two[0].clone().move_towards(&two[1], 1.5));
        assert_eq!(message, "move_towards: `rate` must be from 0 to 1, and is 1.5");
    }
}
