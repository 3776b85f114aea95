//! Parts of a model that are not trained.

use super::{Forward, Init, Module};
use crate::params::{ParameterPath, Parameters, Visitor, VisitorMut};
use crate::tape::FrozenHere;
use rand::Rng;

/// A module whose parameters are not trained. Gradients pass through it to its input.
///
/// Its parameters are saved and loaded under the same names as without the wrapper, and optimizers do not change them,
/// nor its running statistics.
///
/// It is not PyTorch's `.eval()`: on a training tape dropout is still active in it, and batch norm normalises with the
/// statistics of the batch. [`Eval`](super::Eval) changes that, and a pretrained backbone is usually both:
/// `Frozen(Eval(backbone))`. Nor does it stop gradients to its input: for that, pass `x.detach().on(&x)`. Whatever the
/// module itself puts on a new tape is not frozen.
///
/// ```
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let features = Linear::<4, 3>::init(&mut rng); // pretrained
/// let mut model = (Frozen(features), Relu, Linear::<3, 2>::init(&mut rng));
/// let before = model.0.0.weight.value().clone();
///
/// let tape = Tape::training(&mut rng);
/// let gradients = model.forward(tape.trace(Tensor::<Rank2<8, 4>>::ones())).sum().backward();
/// Sgd::new(SgdConfig::default()).step(&mut model, &gradients);
/// assert!(gradients.try_of(&model.0.0.weight).is_none());
/// assert_eq!(model.0.0.weight.value(), &before);
/// ```
#[doc(alias = "requires_grad")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use = "the model itself does not change: run what this returns"]
pub struct Frozen<M>(pub M);

/// A model with its parameters frozen, by reference: a generator is trained through a critic that does not change.
///
/// ```
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let generator = Linear::<2, 4>::init(&mut rng);
/// let critic = Linear::<4, 1>::init(&mut rng);
/// let tape = Tape::training(&mut rng);
/// let made = generator.forward(tape.trace(Tensor::<Rank2<8, 2>>::ones()));
/// let gradients = frozen(&critic).forward(made).mean().backward();
/// assert!(gradients.try_of(&generator.weight).is_some());
/// assert!(gradients.try_of(&critic.weight).is_none());
/// ```
pub fn frozen<M: ?Sized>(model: &M) -> Frozen<&M> {
    Frozen(model)
}

impl<X, M: Module<X>> Module<X> for Frozen<M> {
    type Output = M::Output;
    fn apply(&self, x: X) -> M::Output {
        let _until_it_has_run = FrozenHere::new();
        self.0.forward(x)
    }
}

impl<M: Init> Init for Frozen<M> {
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        Frozen(M::init(rng))
    }
}

impl<M: Parameters> Parameters for Frozen<M> {
    fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
        path.frozen(|path| self.0.visit(path, visitor));
    }
    fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
        path.frozen(|path| self.0.visit_mut(path, visitor));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Kind;
    use crate::prelude::*;

    fn names<M: Parameters>(model: &M) -> Vec<(String, Kind)> {
        let mut names = Vec::new();
        model.for_each_parameter(|name, leaf| names.push((name.to_string(), leaf.kind)));
        names
    }

    #[test]
    fn names_stay_and_nothing_counts_as_trained() {
        let mut rng = StdRng::seed_from_u64(0);
        let model = (Frozen((Linear::<2, 3>::init(&mut rng), Relu)), Linear::<3, 1>::init(&mut rng));
        let expected = [("0.0.weight", Kind::Frozen), ("0.0.bias", Kind::Frozen)];
        let expected = expected.into_iter().chain([("1.weight", Kind::Parameter), ("1.bias", Kind::Parameter)]);
        assert!(names(&model).iter().map(|(name, kind)| (name.as_str(), *kind)).eq(expected));
        assert_eq!(model.parameter_count(), 4);
    }

    #[test]
    fn gradients_pass_through_to_the_input_and_layers_before() {
        let mut rng = StdRng::seed_from_u64(1);
        let (first, second) = (Linear::<3, 4>::init(&mut rng), Linear::<4, 2>::init(&mut rng));
        let x = Tensor::<Rank2<5, 3>>::randn(&mut rng);
        let run = |freeze: bool| {
            let tape = Tape::inference();
            let x = tape.watch(x.clone());
            let hidden = first.forward(x.clone());
            let y = if freeze { frozen(&second).forward(hidden) } else { second.forward(hidden) };
            let gradients = y.sum().backward();
            assert_eq!(gradients.try_of(&second.weight).is_some(), !freeze);
            (gradients.of(&first.weight), gradients.of(&first.bias), gradients.of_input(&x))
        };
        assert_eq!(run(true), run(false));
    }

    /// Records a new value for its buffer whenever it runs, as batch norm does.
    #[derive(Parameters)]
    struct Counter(Buffer<Rank0>);
    impl<S: Shape, T: Trace> Module<Tensor<S, f32, T>> for Counter {
        type Output = Tensor<S, f32, T>;
        fn apply(&self, x: Tensor<S, f32, T>) -> Self::Output {
            self.0.update_on(&x, self.0.value().clone() + 1.0);
            x
        }
    }

    #[test]
    fn an_optimizer_leaves_frozen_parameters_and_buffers() {
        let mut rng = StdRng::seed_from_u64(2);
        let count = || Counter(Buffer::new(Tensor::from(0.0)));
        let mut model = (Frozen((Linear::<3, 3>::init(&mut rng), count())), Linear::<3, 3>::init(&mut rng), count());
        let before = (model.0.0.0.weight.value().clone(), model.1.weight.value().clone());
        let mut optimizer = Sgd::new(SgdConfig { weight_decay: WeightDecay::Coupled(0.5), ..Default::default() });
        let tape = Tape::training(&mut rng);
        let gradients = model.forward(tape.trace(Tensor::<Rank2<2, 3>>::ones())).sum().backward();
        optimizer.step(&mut model, &gradients);
        assert_eq!(model.0.0.0.weight.value(), &before.0);
        assert_ne!(model.1.weight.value(), &before.1);
        assert_eq!((model.0.0.1.0.value().item(), model.2.0.value().item()), (0.0, 1.0));
    }

    #[test]
    fn a_panic_inside_does_not_leave_the_thread_frozen() {
        struct Fails;
        impl<X> Module<X> for Fails {
            type Output = X;
            fn apply(&self, _: X) -> X {
                panic!("as it should");
            }
        }
        assert!(std::panic::catch_unwind(|| frozen(&Fails).forward(())).is_err());
        let layer = Bias::<1>::init(&mut StdRng::seed_from_u64(0));
        let tape = Tape::inference();
        let gradients = layer.forward(tape.trace(Tensor::from([1.0]))).sum().backward();
        assert!(gradients.try_of(&layer.bias).is_some());
    }
}
