//! Layers that change the shape of each sample and compute nothing.

use super::{Init, Module};
use crate::params::Parameters;
use crate::shape::{FlattenFrom, HasAxis, InsertAxis, ReshapesTo, StaticShape};
use crate::tensor::{Element, Tensor};
use crate::trace::Trace;

/// Flattens each sample of a batch to a vector: all axes but the first become one.
///
/// ```
/// use taut::prelude::*;
/// let y: Tensor<Rank2<32, 400>> = Flatten.forward(Tensor::<Rank4<32, 16, 5, 5>>::ones());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct Flatten;

impl<S: FlattenFrom<1>, E: Element, T: Trace> Module<Tensor<S, E, T>> for Flatten {
    type Output = Tensor<S::Flattened, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        x.flatten_from::<1>()
    }
}

/// Reshapes each sample of a batch to `O`; axis 0 is unchanged.
///
/// Samples with another number of elements do not compile, for batches of any size. Where the compiler does not know
/// the size of the samples, a mismatch panics at run time.
///
/// ```
/// use taut::prelude::*;
/// let layer = Reshape::<Rank3<1, 28, 28>>::default();
/// let images: Tensor<Rank4<16, 1, 28, 28>> = layer.forward(Tensor::<Rank2<16, 784>>::ones());
/// ```
#[doc(alias = "Unflatten")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Reshape<O>(std::marker::PhantomData<O>);

impl<O> Init for Reshape<O> {
    fn init<R: rand::Rng + ?Sized>(_: &mut R) -> Self {
        Reshape(std::marker::PhantomData)
    }
}

impl<O> Parameters for Reshape<O> {
    fn visit(&self, _: &mut crate::params::ParameterPath, _: &mut dyn crate::params::Visitor) {}
    fn visit_mut(&mut self, _: &mut crate::params::ParameterPath, _: &mut dyn crate::params::VisitorMut) {}
}

impl<O, S, E, T> Module<Tensor<S, E, T>> for Reshape<O>
where
    O: StaticShape + InsertAxis<0>,
    S: HasAxis<0, Removed: ReshapesTo<O>>,
    E: Element,
    T: Trace,
{
    type Output = Tensor<O::Inserted<S::Length>, E, T>;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        let shape = O::default().inserted(x.shape().length());
        x.reshape_with(shape)
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn a_batch_of_run_time_size_is_flattened_and_restored() {
        let x = Tensor::<(usize, Const<2>, Const<3>)>::from_fn_with((4, Const, Const), |[b, i, j]| {
            (100 * b + 10 * i + j) as f32
        });
        let model = (Flatten, Reshape::<Rank2<2, 3>>::default());
        let flat: Tensor<(usize, Const<6>)> = model.0.forward(x.clone());
        assert_eq!(flat.slice(1).to_vec(), [100.0, 101.0, 102.0, 110.0, 111.0, 112.0]);
        assert_eq!(model.forward(x.clone()), x);
    }

    #[test]
    #[should_panic(expected = "reshape: the shapes (2, 5) and (2, 2, 3) do not fit")]
    fn another_number_of_elements_is_refused() {
        let x = Tensor::<(Const<2>, usize)>::ones_with((Const, 5));
        let _ = Reshape::<Rank2<2, 3>>::default().forward(x);
    }
}
