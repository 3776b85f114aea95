//! A moving average of a model's weights during training.

use super::{Pairs, ParameterPath, Parameters, Visitor, VisitorMut};

/// A copy of a model whose weights follow those of the model during training:
///
/// a <- d a + (1 - d) theta
///
/// with the decay d, after each step of the optimizer. Buffers (running statistics) are copied. The average is often
/// better than the weights of any single step, above all for the generator of a GAN, which never settles. Polyak and
/// Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992; Yazıcı et al., "The Unusual Effectiveness
/// of Averaging in GAN Training", 2018.
///
/// It is saved and loaded under the names of the model itself, so that a file of an average can be loaded as a model.
///
/// ```
/// use taut::prelude::*;
/// let mut model = Bias::<2> { bias: Tensor::from([0.0, 4.0]).into() };
/// let mut average = Ema::new(&model, 0.75);
/// *model.bias.value_mut() = Tensor::from([4.0, 0.0]); // a step
/// average.update(&model);
/// assert_eq!(average.model().bias.value().to_array(), [1.0, 3.0]);
///
/// average.swap(&mut model); // to evaluate the average
/// assert_eq!(model.bias.value().to_array(), [1.0, 3.0]);
/// average.swap(&mut model); // to continue training
/// assert_eq!(model.bias.value().to_array(), [4.0, 0.0]);
/// ```
#[doc(alias = "AveragedModel")]
#[doc(alias = "ExponentialMovingAverage")]
#[derive(Clone, Debug)]
pub struct Ema<M> {
    average: M,
    decay: f64,
    updates: u64,
    /// Whether the decay depends on the number of updates.
    warm_up: bool,
}

impl<M: Parameters + Clone> Ema<M> {
    /// An average that starts at the model's current values.
    ///
    /// # Panics
    /// If not 0 <= decay <= 1.
    #[track_caller]
    pub fn new(model: &M, decay: f64) -> Self {
        assert!((0.0..=1.0).contains(&decay), "Ema: `decay` must be from 0 to 1, and is {decay}");
        Ema { average: model.clone(), decay, updates: 0, warm_up: false }
    }

    /// The same with a decay that is small at first: min(d, (1 + t) / (10 + t)) after t updates, so that the values at
    /// the start, which are of a model that learned nothing, are soon forgotten. TensorFlow's
    /// `ExponentialMovingAverage` calls t `num_updates`. `updates` is t now: 0, or where the training resumes the
    /// number of the updates before, which is not saved with the average.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let mut model = Bias::<1> { bias: Tensor::from([0.0]).into() };
    /// let mut average = Ema::new(&model, 0.999).with_warm_up(0);
    /// *model.bias.value_mut() = Tensor::from([10.0]);
    /// average.update(&model);
    /// assert_eq!(average.model().bias.value().to_array(), [9.0]); // of the start, a tenth is left, and not 0.999
    /// assert_eq!(average.decay(), 2.0 / 11.0);
    /// ```
    #[must_use]
    pub fn with_warm_up(self, updates: u64) -> Self {
        Ema { updates, warm_up: true, ..self }
    }

    /// Moves the average towards the model, which took a step.
    ///
    /// # Panics
    /// If the model has another structure: a list of fewer blocks, or a run-time size that differs.
    #[track_caller]
    pub fn update(&mut self, model: &M) {
        self.average.move_towards(model, 1.0 - self.decay());
        self.updates += 1;
    }

    /// The average.
    pub fn model(&self) -> &M {
        &self.average
    }

    /// The decay of the next update.
    pub fn decay(&self) -> f64 {
        let updates = self.updates as f64;
        if self.warm_up { self.decay.min((1.0 + updates) / (10.0 + updates)) } else { self.decay }
    }

    /// How often the average was updated.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Swaps the values of model and average, buffers included; a second call swaps them back. The model's parameters
    /// remain the ones that its optimizer knows.
    ///
    /// # Panics
    /// If the model has another structure.
    #[track_caller]
    pub fn swap(&mut self, model: &mut M) {
        let before = model.clone();
        model.copy_from(&self.average);
        self.average.copy_from(&before);
    }
}

impl<M: Parameters> Parameters for Ema<M> {
    fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
        self.average.visit(path, visitor);
    }
    fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
        self.average.visit_mut(path, visitor);
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    type Model = (Linear<3, 4, f64>, BatchNorm1d<4, f64>);

    fn step(model: &mut Model, optimizer: &mut Adam, seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        let x = Tensor::<Rank2<8, 3>, f64>::randn(&mut rng);
        let gradients = model.forward(Tape::training(&mut rng).trace(x)).square().mean().backward();
        optimizer.step(model, &gradients);
    }

    #[test]
    fn it_is_the_sum_of_the_formula() {
        let mut model = Model::init(&mut StdRng::seed_from_u64(0));
        let (mut optimizer, mut average) = (Adam::new(AdamConfig::default()), Ema::new(&model, 0.9));
        let mut expected = model.0.weight.value().clone();
        for seed in 0..20 {
            step(&mut model, &mut optimizer, seed);
            average.update(&model);
            expected = expected * 0.9 + model.0.weight.value() * 0.1;
        }
        for (found, expected) in average.model().0.weight.value().iter().zip(expected.iter()) {
            assert!((found - expected).abs() < 1e-12);
        }
        assert_eq!(average.model().1.running_mean.value(), model.1.running_mean.value());
    }

    /// With a model that stays, what is left of the start is the product of the decays; and two halves of a training
    /// are one.
    #[test]
    fn a_warm_up_forgets_the_start() {
        let start = Bias::<1, f64> { bias: Tensor::<Rank1<1>, f64>::ones().into() };
        let model = Bias::<1, f64> { bias: Tensor::<Rank1<1>, f64>::zeros().into() };
        let mut average = Ema::new(&start, 0.75).with_warm_up(0);
        let mut left = 1.0;
        for t in 0..40 {
            assert_eq!(average.decay(), if t < 26 { f64::from(1 + t) / f64::from(10 + t) } else { 0.75 });
            left *= average.decay();
            average.update(&model);
            if t == 10 {
                average = Ema::new(average.model(), 0.75).with_warm_up(average.updates());
            }
        }
        let found = average.model().bias.value().to_array()[0];
        assert!((found / left - 1.0).abs() < 1e-12 && left < 0.75_f64.powi(40) * 1e-4, "{found} {left}");
    }

    #[test]
    fn a_swap_and_another_leave_training_as_it_was() {
        let mut model = Model::init(&mut StdRng::seed_from_u64(0));
        let (mut optimizer, mut average) = (Adam::new(AdamConfig::default()), Ema::new(&model, 0.5));
        step(&mut model, &mut optimizer, 0);
        average.update(&model);
        let (mut other, mut other_optimizer) = (model.clone(), Adam::new(AdamConfig::default()));
        other_optimizer.restore(&optimizer.snapshot(), &other).unwrap();
        average.swap(&mut model);
        assert!(model.distance_to(&other) > 0.0);
        assert_eq!(average.model().distance_to(&other), 0.0);
        average.swap(&mut model);
        step(&mut model, &mut optimizer, 1);
        step(&mut other, &mut other_optimizer, 1);
        assert_eq!(model.distance_to(&other), 0.0);
    }

    #[test]
    fn it_is_saved_as_a_model() {
        let path = std::env::temp_dir().join(format!("taut-ema-{}", std::process::id()));
        let mut model = Model::init(&mut StdRng::seed_from_u64(0));
        let mut average = Ema::new(&model, 0.5);
        step(&mut model, &mut Adam::new(AdamConfig::default()), 0);
        average.update(&model);
        let saved = Checkpoint::new().with_model("average", &average).with_model("model", &model);
        saved.save(&path).unwrap();
        let checkpoint = Checkpoint::load(&path).unwrap();
        let mut found = Ema::new(&model, 0.5);
        checkpoint.restore_model("average", &mut found).unwrap();
        assert_eq!(found.model().distance_to(average.model()), 0.0);
        assert_ne!(found.model().distance_to(&model), 0.0);
        average.model().save(&path).unwrap();
        assert_eq!(Model::load(&path).unwrap().distance_to(average.model()), 0.0);
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    #[should_panic(expected = "Ema: `decay` must be from 0 to 1, and is 1.5")]
    fn a_decay_beyond_one_is_refused() {
        let _ = Ema::new(&Bias::<1>::init(&mut StdRng::seed_from_u64(0)), 1.5);
    }
}
