//! What all optimizers share: the walk over a model, and the step that each parameter takes there.

use super::snapshot::{Snapshot, SnapshotMismatch};
use super::state::{Memory, State};
use super::{Group, Groups};
use crate::numbers::Float;
use crate::numbers::range::{OutOfRange, expect, not_negative};
use crate::params::{Kind, LeafMut, ParameterPath, Parameters, ValuesMut, VisitorMut};
use crate::tape::{AnyStorage, Gradient, Rows};
use crate::trace::Gradients;

/// How parameters follow their gradients: an optimizer's settings are its rule.
///
/// taut has [`SgdConfig`](super::SgdConfig), [`RmsPropConfig`](super::RmsPropConfig),
/// [`AdamConfig`](super::AdamConfig) and [`AdaGradConfig`](super::AdaGradConfig). A rule of your own:
///
/// ```
/// use taut::optim::{Arrays, Rule, Step};
/// use taut::prelude::*;
///
/// /// theta <- theta - a sign(g)
/// struct SignDescent;
///
/// impl Rule for SignDescent {
///     fn learning_rate(&self) -> f64 {
///         0.01
///     }
///     fn memory(&self) -> &'static [&'static str] {
///         &[]
///     }
///     fn update<E: Float>(&self, step: Step, arrays: Arrays<'_, E>) {
///         for (theta, g) in arrays.parameter.iter_mut().zip(arrays.gradient) {
///             *theta -= E::of(step.learning_rate) * g.signum();
///         }
///     }
/// }
///
/// let mut model = Linear::<2, 1>::init(&mut StdRng::seed_from_u64(0));
/// let before = model.weight.value().clone();
/// let gradients = model.forward(Tape::inference().trace(Tensor::from([2.0, -3.0]))).sum().backward();
/// Optimizer::new(SignDescent).step(&mut model, &gradients);
/// assert!((model.weight.value() - before).is_close(&Tensor::from([[-0.01, 0.01]]), 0.0, 1e-6));
/// ```
pub trait Rule {
    /// The initial learning rate.
    fn learning_rate(&self) -> f64;
    /// The names of the arrays kept for each parameter, at most [`MEMORY`]; each has the parameter's size and starts as
    /// zeros.
    fn memory(&self) -> &'static [&'static str];
    /// One step of one parameter.
    fn update<E: Float>(&self, step: Step, arrays: Arrays<'_, E>);
    /// Whether a number whose gradient is 0 is left out of a step. Then a step changes only the rows of an
    /// [embedding](crate::nn::Embedding) that were used, whatever the size of the table. `false` by default.
    fn skips_zeros(&self) -> bool {
        false
    }
    /// Checks that the settings are in range.
    ///
    /// # Errors
    /// If one is not; the error says which.
    fn check(&self) -> Result<(), OutOfRange> {
        Ok(())
    }
}

/// The largest number of arrays that a [`Rule`] can keep for a parameter.
pub const MEMORY: usize = 3;

/// The step that a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The number of steps of this parameter so far, including this one: 1 at first. For bias corrections.
    pub number: u64,
    /// The learning rate, including the factor of the parameter's [group](Group).
    pub learning_rate: f64,
    /// The factor that the parameter's [group](Group) puts on weight decay.
    pub weight_decay_factor: f64,
}

/// One parameter, its gradient, and its state, all of the same length.
#[derive(Debug)]
pub struct Arrays<'a, E> {
    /// The parameter, to be updated.
    pub parameter: &'a mut [E],
    /// The gradient of the loss.
    pub gradient: &'a [E],
    /// As many arrays as [`Rule::memory`] names; the others are empty.
    pub memory: [&'a mut [E]; MEMORY],
}

/// Updates the parameters of a model from their gradients by the rule `R`. [`Sgd`](super::Sgd),
/// [`RmsProp`](super::RmsProp), [`Adam`](super::Adam) and [`AdaGrad`](super::AdaGrad) are names of it for their rules.
///
/// It keeps the state its rule needs for every parameter (a velocity, say), by the parameter's path in the model. So
/// one optimizer serves one model.
#[derive(Clone, Debug)]
pub struct Optimizer<R> {
    rule: R,
    learning_rate: f64,
    groups: Groups,
    state: State,
}

impl<R: Rule> Optimizer<R> {
    /// An optimizer with these settings.
    ///
    /// # Panics
    /// If a setting is out of range: negative or no number, for example. If a rule of your own remembers more than
    /// [`MEMORY`] arrays.
    #[track_caller]
    pub fn new(rule: R) -> Self {
        expect(rule.check());
        assert!(rule.memory().len() <= MEMORY, "a rule remembers at most {MEMORY} arrays of each parameter");
        Optimizer { learning_rate: rule.learning_rate(), rule, groups: Groups::default(), state: State::default() }
    }

    /// Changes the parameters of `model` by their gradients, and its buffers (running statistics) to the values
    /// recorded by the forward pass. A parameter without a gradient, and a frozen one, stays as it is:
    /// [`gradients.unreached(&model)`](Gradients::unreached) lists the former.
    ///
    /// # Panics
    /// If none of the gradients belongs to this model: a clone has parameters of its own, and gradients of one model do
    /// not move the other. If `model` has other parameters than in the previous step. If a part of it is behind an
    /// `Arc` or `Rc` that others hold, too.
    #[track_caller]
    pub fn step<M: Parameters + ?Sized>(&mut self, model: &mut M, gradients: &Gradients) {
        let Optimizer { rule, learning_rate, groups, state } = self;
        let learning_rate = *learning_rate;
        let mut stepper = Stepper { rule, learning_rate, groups, state, next: 0, gradients, used: false, wrong: None };
        let mut path = ParameterPath::default();
        model.visit_mut(&mut path, &mut stepper);
        path.finish();
        let Stepper { next: visited, used, wrong, .. } = stepper;
        if !used && wrong.is_none() {
            no_step(visited, gradients.count());
        }
        if let Some(wrong) = wrong.or_else(|| state.complete(visited).err()) {
            panic!("this optimizer was used with another model before: {wrong}");
        }
    }

    /// The learning rate of the next step.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// Sets the learning rate, as [schedules](super::Scheduler) do.
    ///
    /// # Panics
    /// If it is negative, infinite, or NaN.
    #[track_caller]
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        if let Err(wrong) = not_negative("set_learning_rate", "learning_rate", learning_rate) {
            panic!("{wrong}");
        }
        self.learning_rate = learning_rate;
    }

    /// The rule: the settings.
    pub fn rule(&self) -> &R {
        &self.rule
    }

    /// Gives the parameters of a part of the model a learning rate and weight decay of their own.
    ///
    /// `part` chooses it: a field of the model, or a layer in it. The factors of a parameter in several groups are
    /// multiplied.
    ///
    /// # Panics
    /// If the part has no parameters, or is not in the model; if a factor is negative, infinite, or NaN.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let mut model = <(Linear<4, 8>, Relu, Linear<8, 2>)>::init(&mut StdRng::seed_from_u64(0));
    /// let config = AdamConfig { weight_decay: WeightDecay::Decoupled(0.01), ..Default::default() };
    /// let optimizer = Adam::new(config)
    ///     .group(&model, |model| &model.0, Group { learning_rate_factor: 0.1, ..Default::default() })
    ///     .group(&model, |model| &model.2.bias, Group { weight_decay_factor: 0.0, ..Default::default() });
    /// ```
    #[doc(alias = "param_groups")]
    #[must_use]
    #[track_caller]
    pub fn group<M: Parameters + ?Sized, P: Parameters + ?Sized>(
        mut self,
        model: &M,
        part: impl FnOnce(&M) -> &P,
        group: Group,
    ) -> Self {
        self.groups.add(model, part(model), group);
        self
    }

    /// Weight decay for weights only: parameters of one dimension, which are the biases and the scales of
    /// normalisations, are not pulled towards zero.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let config = AdamConfig { weight_decay: WeightDecay::Decoupled(0.01), ..Default::default() };
    /// let optimizer = Adam::new(config).no_decay_of_biases();
    /// ```
    #[must_use]
    pub fn no_decay_of_biases(mut self) -> Self {
        self.groups.spare_biases();
        self
    }

    /// The optimizer's state: its learning rate, and for each parameter the number of steps and the arrays of the rule.
    /// Settings and groups are not included: they are in the program.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let mut model = Linear::<2, 1>::init(&mut StdRng::seed_from_u64(0));
    /// let mut optimizer = Adam::new(AdamConfig::default());
    /// let gradients = model.forward(Tape::inference().trace(Tensor::from([2.0, -3.0]))).sum().backward();
    /// optimizer.step(&mut model, &gradients);
    ///
    /// let snapshot = optimizer.snapshot();
    /// assert_eq!(snapshot.numbers[0], ("learning_rate".to_string(), 1e-3));
    /// assert_eq!(snapshot.numbers[1], ("steps.weight".to_string(), 1.0));
    /// assert_eq!(snapshot.arrays[0].0, "mean.weight");
    ///
    /// let mut resumed = Adam::new(AdamConfig::default());
    /// resumed.restore(&snapshot, &model).unwrap();
    /// assert_eq!(resumed.snapshot(), snapshot);
    /// ```
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.numbers.push(("learning_rate".to_string(), self.learning_rate));
        self.state.write_to(self.rule.memory(), &mut snapshot);
        snapshot
    }

    /// Restores a [snapshot](Optimizer::snapshot), taken when the optimizer worked on a model like `model`: training
    /// continues bit for bit as if it had not been interrupted.
    ///
    /// # Errors
    /// If the snapshot is for another model or another rule, or is damaged. The optimizer is then unchanged.
    pub fn restore<M: Parameters + ?Sized>(&mut self, snapshot: &Snapshot, model: &M) -> Result<(), SnapshotMismatch> {
        let learning_rate = snapshot.number("learning_rate")?;
        not_negative("the snapshot", "learning_rate", learning_rate)
            .map_err(|wrong| SnapshotMismatch::new(wrong.to_string()))?;
        let state = State::read_from(snapshot, self.rule.memory(), model)?;
        (self.learning_rate, self.state) = (learning_rate, state);
        Ok(())
    }
}

/// Explains why a step of a model with this many trained parameters and gradients would do nothing.
#[track_caller]
#[cold]
fn no_step(parameters: usize, gradients: usize) -> ! {
    let reason = match (parameters, gradients) {
        (0, _) => "the model has no parameter that is trained: all are frozen, or it has none".to_string(),
        (_, 0) => "the loss depends on no parameter that is trained: either the model ran on a tensor that is not on \
                   the tape (`tape.trace(x)`), or all that it used is frozen or detached"
            .to_string(),
        (_, count) => format!(
            "not one of the {count} gradients is of this model: they are of another one, or of a clone, which has \
             parameters of its own. Run the model that is to be trained, by reference"
        ),
    };
    panic!("this step would change nothing: {reason}")
}

struct Stepper<'a, R> {
    rule: &'a R,
    learning_rate: f64,
    groups: &'a Groups,
    state: &'a mut State,
    /// The number of parameters visited.
    next: usize,
    gradients: &'a Gradients,
    /// Whether any of the gradients, or a new running statistic, is of this model.
    used: bool,
    /// A description of the first parameter that differs from the previous step.
    wrong: Option<String>,
}

impl<R: Rule> VisitorMut for Stepper<'_, R> {
    fn leaf(&mut self, path: &str, leaf: LeafMut<'_>) {
        match leaf.kind {
            Kind::Parameter => self.parameter(path, leaf),
            Kind::Frozen => {}
            Kind::Buffer => {
                if let Some(update) = self.gradients.update(leaf.id) {
                    self.used = true;
                    update.apply(leaf.values);
                }
            }
        }
    }
}

impl<R: Rule> Stepper<'_, R> {
    fn parameter(&mut self, path: &str, leaf: LeafMut<'_>) {
        if self.wrong.is_some() {
            return;
        }
        let slot = match self.state.slot(self.next, path, &leaf, self.rule.memory().len()) {
            Ok(slot) => slot,
            Err(wrong) => return self.wrong = Some(wrong),
        };
        self.next += 1;
        let Some(gradient) = self.gradients.find(leaf.id) else { return };
        self.used = true;
        slot.steps += 1;
        let group = self.groups.factors(path, leaf.sizes);
        let step = Step {
            number: slot.steps,
            learning_rate: self.learning_rate * group.learning_rate_factor,
            weight_decay_factor: group.weight_decay_factor,
        };
        let whole;
        let (rows, gradient) = match gradient {
            Gradient::Whole(gradient) => (None, gradient),
            Gradient::Rows(rows) if self.rule.skips_zeros() => (Some(rows), &rows.values),
            Gradient::Rows(rows) => {
                whole = rows.whole();
                (None, &whole)
            }
        };
        match (leaf.values, gradient, &mut slot.memory) {
            (ValuesMut::F32(parameter), AnyStorage::F32(gradient), Memory::F32(memory)) => {
                parts(rows, parameter, gradient.as_slice(), memory, |arrays| {
                    self.rule.update(step, arrays);
                });
            }
            (ValuesMut::F64(parameter), AnyStorage::F64(gradient), Memory::F64(memory)) => {
                parts(rows, parameter, gradient.as_slice(), memory, |arrays| {
                    self.rule.update(step, arrays);
                });
            }
            _ => unreachable!("the slot was made for this element type, and so was the gradient"),
        }
    }
}

/// Calls `apply` once for the whole parameter, or for each of the rows that have a gradient.
fn parts<E>(
    rows: Option<&Rows>,
    parameter: &mut [E],
    gradient: &[E],
    memory: &mut [Vec<E>],
    mut apply: impl FnMut(Arrays<'_, E>),
) {
    let Some(rows) = rows else {
        return apply(Arrays { parameter, gradient, memory: slices(memory) });
    };
    for [in_table, in_gradient] in rows.places() {
        // arrays that the rule does not have are empty
        let memory = slices(memory).map(|array| array.get_mut(in_table.clone()).unwrap_or_default());
        apply(Arrays { parameter: &mut parameter[in_table], gradient: &gradient[in_gradient], memory });
    }
}

/// The arrays as slices, and empty ones up to [`MEMORY`].
fn slices<E>(memory: &mut [Vec<E>]) -> [&mut [E]; MEMORY] {
    let mut arrays = memory.iter_mut();
    std::array::from_fn(|_| arrays.next().map_or(Default::default(), Vec::as_mut_slice))
}

#[cfg(test)]
mod tests {
    use crate::optim::Rule;
    use crate::params::Values;
    use crate::prelude::*;

    type Model = (Linear<3, 4>, Relu, Linear<4, 2, f32>);

    fn train<R: Rule>(optimizer: &mut Optimizer<R>, model: &mut Model, steps: usize, rng: &mut taut::Generator) {
        for _ in 0..steps {
            let tape = Tape::training(rng);
            let y = model.forward(tape.trace(Tensor::<Rank2<5, 3>>::randn(rng)));
            let gradients = (y.clone() * y).mean().backward();
            optimizer.step(model, &gradients);
        }
    }

    fn values(model: &Model) -> Vec<u32> {
        let mut all = Vec::new();
        model.for_each_parameter(|_, leaf| match leaf.values {
            Values::F32(values) => all.extend(values.iter().map(|x| x.to_bits())),
            Values::F64(_) => unreachable!("the model is of f32"),
        });
        all
    }

    #[test]
    fn a_restored_optimizer_goes_on_bit_by_bit() {
        fn check<R: Rule + Clone>(config: R) {
            let mut rng = taut::Generator::new(1);
            let mut model = Model::init(&mut rng);
            let mut optimizer = Optimizer::new(config.clone());
            train(&mut optimizer, &mut model, 3, &mut rng);
            optimizer.set_learning_rate(0.003);

            let mut resumed = Optimizer::new(config);
            let (mut other, mut other_rng) = (model.clone(), rng.clone());
            resumed.restore(&optimizer.snapshot(), &other).unwrap();

            train(&mut optimizer, &mut model, 3, &mut rng);
            train(&mut resumed, &mut other, 3, &mut other_rng);
            assert_eq!(values(&model), values(&other));
            assert_eq!(optimizer.snapshot(), resumed.snapshot());
        }
        check(SgdConfig::default());
        check(SgdConfig { momentum: Momentum::None, ..Default::default() });
        check(RmsPropConfig { centred: true, momentum: RmsMomentum::OfSteps(0.9), ..Default::default() });
        check(AdamConfig { ams_grad: true, ..Default::default() });
        check(AdaGradConfig { learning_rate_decay: 0.1, ..Default::default() });
    }

    #[test]
    fn a_snapshot_of_something_else_is_refused_and_changes_nothing() {
        let mut rng = taut::Generator::new(1);
        let mut model = Model::init(&mut rng);
        let mut sgd = Sgd::new(SgdConfig::default());
        train(&mut sgd, &mut model, 1, &mut rng);
        let good = sgd.snapshot();

        let mut adam = Adam::new(AdamConfig::default());
        let before = adam.snapshot();
        let error = adam.restore(&good, &model).unwrap_err();
        assert_eq!(error.to_string(), "the snapshot has no array `mean.0.weight`");

        let wider = <(Linear<3, 5>, Relu, Linear<5, 2>)>::init(&mut rng);
        let error = sgd.restore(&good, &wider).unwrap_err();
        let message = "the snapshot's `velocity.0.weight` has 12 numbers of type f32, \
                       and the model's `0.weight` has 15 numbers of type f32";
        assert_eq!(error.to_string(), message);

        let smaller = <(Linear<3, 4>,)>::init(&mut rng);
        let error = sgd.restore(&good, &smaller).unwrap_err();
        assert!(error.to_string().starts_with("the snapshot has 4 arrays, and this optimizer needs 2"), "{error}");

        let mut damaged = good.clone();
        damaged.numbers[1].1 = -1.5;
        let error = sgd.restore(&damaged, &model).unwrap_err();
        assert_eq!(error.to_string(), "the snapshot's `steps.0.weight` is -1.5, which is not a count");
        damaged.numbers.clear();
        assert_eq!(
            sgd.restore(&damaged, &model).unwrap_err().to_string(),
            "the snapshot has no number `learning_rate`"
        );

        assert_eq!((sgd.snapshot(), adam.snapshot()), (good, before));
    }

    #[test]
    #[should_panic(
        expected = "another model before: it remembers `0.weight` of 12 numbers, and here comes `0.weight` of 15"
    )]
    fn another_size_is_noticed() {
        let mut rng = taut::Generator::new(1);
        let mut optimizer = Adam::new(AdamConfig::default());
        train(&mut optimizer, &mut Model::init(&mut rng), 1, &mut rng);
        let mut wider = <(Linear<3, 5>, Relu, Linear<5, 2>)>::init(&mut rng);
        let gradients = wider.forward(Tape::inference().trace(Tensor::<Rank1<3>>::ones())).sum().backward();
        optimizer.step(&mut wider, &gradients);
    }

    #[test]
    #[should_panic(expected = "another model before: it remembers `2.weight`, and this model has no such parameter")]
    fn a_missing_parameter_is_noticed() {
        let mut rng = taut::Generator::new(1);
        let mut optimizer = Adam::new(AdamConfig::default());
        train(&mut optimizer, &mut Model::init(&mut rng), 1, &mut rng);
        let mut shorter = (Linear::<3, 4>::init(&mut rng),);
        let gradients = shorter.forward(Tape::inference().trace(Tensor::<Rank1<3>>::ones())).sum().backward();
        optimizer.step(&mut shorter, &gradients);
    }

    #[test]
    #[should_panic(expected = "another model before: it remembers 2 parameters, and here comes `2.weight` as one more")]
    fn one_more_parameter_is_noticed() {
        let mut rng = taut::Generator::new(1);
        let mut optimizer = Adam::new(AdamConfig::default());
        let mut shorter = (Linear::<3, 4>::init(&mut rng),);
        let gradients = shorter.forward(Tape::inference().trace(Tensor::<Rank1<3>>::ones())).sum().backward();
        optimizer.step(&mut shorter, &gradients);
        train(&mut optimizer, &mut Model::init(&mut rng), 1, &mut rng);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let wrong = [
            (SgdConfig { learning_rate: -1.0, ..Default::default() }.check(), "`learning_rate`"),
            (SgdConfig { learning_rate: f64::NAN, ..Default::default() }.check(), "`learning_rate`"),
            (SgdConfig { momentum: Momentum::Nesterov(1.0), ..Default::default() }.check(), "`momentum`"),
            (SgdConfig { weight_decay: WeightDecay::Coupled(-0.1), ..Default::default() }.check(), "`weight_decay`"),
            (RmsPropConfig { decay: 1.5, ..Default::default() }.check(), "`decay`"),
            (RmsPropConfig { momentum: RmsMomentum::OfSteps(f64::NAN), ..Default::default() }.check(), "`momentum`"),
            (AdamConfig { square_decay: -0.1, ..Default::default() }.check(), "`square_decay`"),
            (AdamConfig { epsilon: f64::INFINITY, ..Default::default() }.check(), "`epsilon`"),
            (AdaGradConfig { initial_sum: -1.0, ..Default::default() }.check(), "`initial_sum`"),
        ];
        for (check, name) in wrong {
            let message = check.unwrap_err();
            assert!(message.to_string().contains(name), "{message}");
        }
    }

    #[test]
    #[should_panic(expected = "Adam: `learning_rate` must be a finite number of at least 0, and is -0.1")]
    fn a_negative_learning_rate_panics_at_construction() {
        let _ = Adam::new(AdamConfig { learning_rate: -0.1, ..Default::default() });
    }
}
