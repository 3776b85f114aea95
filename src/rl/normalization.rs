//! Running normalisation of observations to mean 0 and variance 1.

use crate::nn::Init;
use crate::params::{Buffer, Parameters};
use crate::shape::{InsertAxis, Rank0, Shape, StaticShape};
use crate::tensor::Tensor;
use rand::Rng;

/// The running mean and variance of each number of an observation of shape `S`, which normalise observations:
///
/// y = (x - mean) / sqrt(variance + 1e-8), clamped to -10 .. 10.
///
/// Batches are merged as by Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample
/// Variances", 1979. The statistics are buffers: they are saved with a model that contains this, and no optimizer
/// changes them.
///
/// ```
/// use taut::prelude::*;
/// use taut::rl::RunningNormalization;
/// let mut rng = StdRng::seed_from_u64(0);
/// let mut normalization = RunningNormalization::<Rank1<3>>::init(&mut rng);
/// for _ in 0..100 {
///     normalization.update(&Tensor::<Rank2<8, 3>>::normal(5.0, 2.0, &mut rng));
/// }
/// let y = normalization.apply(Tensor::<Rank2<1, 3>>::full(9.0));
/// assert!(y.iter().all(|y| (y - 2.0).abs() < 0.2));
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct RunningNormalization<S: Shape> {
    mean: Buffer<S, f64>,
    variance: Buffer<S, f64>,
    count: Buffer<Rank0, f64>,
}

/// Initially, mean 0 and variance 1.
impl<S: StaticShape> Init for RunningNormalization<S> {
    fn init<R: Rng + ?Sized>(_: &mut R) -> Self {
        RunningNormalization {
            mean: Buffer::new(Tensor::zeros()),
            variance: Buffer::new(Tensor::ones()),
            count: Buffer::new(Tensor::zeros()),
        }
    }
}

impl<S: StaticShape + InsertAxis<0>> RunningNormalization<S> {
    /// Updates the statistics with a batch of observations: a tensor with one axis before those of `S`.
    ///
    /// # Panics
    /// If the tensor does not have that shape.
    #[track_caller]
    pub fn update<Q: Shape>(&mut self, batch: &Tensor<Q>) {
        let size = rows_of::<S>(batch.shape());
        let rows = batch.count().checked_div(size).unwrap_or(0);
        if rows == 0 {
            return;
        }
        let (before, more) = (self.count.value().item(), rows as f64);
        let all = before + more;
        let (mean, variance) = (self.mean.value_mut().as_mut_slice(), self.variance.value_mut().as_mut_slice());
        for i in 0..size {
            let column = || batch.as_slice()[i..].iter().step_by(size).map(|&x| f64::from(x));
            let batch_mean = column().sum::<f64>() / more;
            let squares: f64 = column().map(|x| (x - batch_mean).powi(2)).sum();
            let apart = batch_mean - mean[i];
            let old = if before > 0.0 { variance[i] * before } else { 0.0 };
            mean[i] += apart * more / all;
            variance[i] = (old + squares + apart * apart * before * more / all) / all;
        }
        *self.count.value_mut() = Tensor::<(), f64>::of(all);
    }

    /// Normalises a batch of observations.
    ///
    /// # Panics
    /// If the tensor does not have one axis before those of `S`.
    #[track_caller]
    pub fn apply<Q: Shape>(&self, mut batch: Tensor<Q>) -> Tensor<Q> {
        let size = rows_of::<S>(batch.shape());
        if size == 0 {
            return batch;
        }
        let (mean, variance) = (self.mean.value().as_slice(), self.variance.value().as_slice());
        for row in batch.as_mut_slice().chunks_mut(size) {
            for ((x, mean), variance) in row.iter_mut().zip(mean).zip(variance) {
                *x = ((f64::from(*x) - mean) / (variance + 1e-8).sqrt()).clamp(-10.0, 10.0) as f32;
            }
        }
        batch
    }

    /// The variance of each number.
    pub fn variance(&self) -> &Tensor<S, f64> {
        self.variance.value()
    }
}

/// The size of an observation; panics if the batch is not one of observations.
#[track_caller]
fn rows_of<S: StaticShape>(batch: impl Shape) -> usize {
    let (sizes, row) = (batch.sizes(), S::default().sizes());
    let (sizes, row) = (sizes.as_ref(), row.as_ref());
    assert!(
        sizes.len() == row.len() + 1 && sizes[1..] == *row,
        "RunningNormalization: {sizes:?} is not a batch of observations of {row:?}"
    );
    row.iter().product()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Variance;
    use crate::prelude::*;

    #[test]
    fn batches_add_up_to_the_moments_of_all() {
        let mut rng = StdRng::seed_from_u64(0);
        let all: Tensor<(usize, Const<2>)> = Tensor::normal_with((60, Const), 100.0, 3.0, &mut rng);
        let mut normalization = RunningNormalization::<Rank1<2>>::init(&mut rng);
        let mut first = 0;
        for rows in [1, 2, 30, 0, 27] {
            normalization.update(&all.clone().slice_range::<0>(first..first + rows));
            first += rows;
        }
        let all = all.cast::<f64>();
        let (mean, variance) = (all.clone().mean_axis::<0>(), all.var_axis::<0>(Variance::Biased));
        assert!(normalization.mean.value().is_close(&mean, 1e-12, 0.0));
        assert!(normalization.variance().is_close(&variance, 1e-10, 0.0));
    }

    #[test]
    fn statistics_are_saved_with_the_model() {
        let mut rng = StdRng::seed_from_u64(0);
        let mut model = (RunningNormalization::<Rank1<3>>::init(&mut rng), Linear::<3, 1>::init(&mut rng));
        model.0.update(&Tensor::<Rank2<4, 3>>::randn(&mut rng));
        let again =
            <(RunningNormalization<Rank1<3>>, Linear<3, 1>)>::from_safetensors(&model.to_safetensors().unwrap());
        let x = Tensor::<Rank2<2, 3>>::randn(&mut rng);
        assert_eq!(again.unwrap().0.apply(x.clone()), model.0.apply(x));
        assert_eq!(model.parameter_count(), 4);
    }

    #[test]
    #[should_panic(expected = "[2, 4] is not a batch of observations of [3]")]
    fn another_shape_is_refused() {
        RunningNormalization::<Rank1<3>>::init(&mut StdRng::seed_from_u64(0)).update(&Tensor::<Rank2<2, 4>>::ones());
    }
}
