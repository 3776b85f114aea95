//! Parts of a model in inference mode, while the rest is trained.

use super::{Forward, Init, Module};
use crate::params::{ParameterPath, Parameters, Visitor, VisitorMut};
use crate::trace::{BackTo, ToInference};
use rand::Rng;

/// A module that runs in inference mode even on a training tape: dropout does nothing in it, and batch norm normalises
/// with its running averages and does not update them. PyTorch's `.eval()` of a submodule.
///
/// Its parameters are still trained; [`Frozen`](super::Frozen) prevents that. A backbone that should not change at all
/// is both, and if its input needs no gradient nothing is recorded, so it costs no more than without a tape. To cut off
/// the gradient of its input, pass `x.detach().on(&x)`.
///
/// | | batch norm | dropout | gradients of its parameters | gradient of its input |
/// | --- | --- | --- | --- | --- |
/// | `part` | statistics of the batch, recorded | active | yes | yes |
/// | `eval(&part)` | running averages, kept | does nothing | yes | yes |
/// | `frozen(&part)` | statistics of the batch, not recorded | active | no | yes |
/// | `frozen(&eval(&part))` | running averages, kept | does nothing | no | yes |
///
/// ```
/// use taut::prelude::*;
/// type Backbone = (Linear<4, 8>, BatchNorm1d<8>, Relu, Dropout<50>);
/// let mut rng = StdRng::seed_from_u64(0);
/// let backbone = Backbone::init(&mut rng); // pretrained
/// let model = (Frozen(Eval(backbone)), Linear::<8, 2>::init(&mut rng));
/// let x = Tensor::<Rank2<16, 4>>::randn(&mut rng);
///
/// let tape = Tape::training(&mut rng);
/// let y = model.forward(tape.trace(x.clone()));
/// assert_eq!(y, model.forward(x)); // as without a tape
/// let gradients = y.mean().backward();
/// assert_eq!(gradients.unreached(&model), [""; 0]); // frozen parameters are not expected to get gradients
/// ```
#[doc(alias = "train")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use = "the model itself does not change: run what this returns"]
pub struct Eval<M>(pub M);

/// A model in inference mode, by reference. See [`Eval`].
///
/// ```
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let generator = Linear::<2, 4>::init(&mut rng);
/// let critic = <(Linear<4, 4>, BatchNorm1d<4>, Dropout<20>, Linear<4, 1>)>::init(&mut rng);
/// let made = generator.forward(Tape::training(&mut rng).trace(Tensor::<Rank2<8, 2>>::ones()));
/// // the critic in inference mode, and frozen: only the generator learns
/// let gradients = frozen(&eval(&critic)).forward(made).mean().backward();
/// assert!(gradients.try_of(&generator.weight).is_some());
/// assert_eq!(gradients.unreached(&critic).len(), 6);
/// ```
pub fn eval<M: ?Sized>(model: &M) -> Eval<&M> {
    Eval(model)
}

impl<X, M> Module<X> for Eval<M>
where
    X: ToInference,
    M: Module<X::Inference>,
    M::Output: BackTo<X::Trace>,
{
    type Output = <M::Output as BackTo<X::Trace>>::Restored;
    fn apply(&self, x: X) -> Self::Output {
        self.0.forward(x.to_inference()).back()
    }
}

impl<M: Init> Init for Eval<M> {
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        Eval(M::init(rng))
    }
}

impl<M: Parameters> Parameters for Eval<M> {
    fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
        self.0.visit(path, visitor);
    }
    fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
        self.0.visit_mut(path, visitor);
    }
}

#[cfg(test)]
mod tests {
    use crate::params::Kind;
    use crate::prelude::*;

    type Part = (Linear<3, 4, f64>, BatchNorm1d<4, f64>, Dropout<50>, Linear<4, 2, f64>);

    /// A part whose running averages are not those of the batches below.
    fn part() -> Part {
        let mut part = Part::init(&mut StdRng::seed_from_u64(0));
        *part.1.running_mean.value_mut() = Tensor::<_, f64>::of([0.5, -0.5, 0.25, 1.0]);
        *part.1.running_var.value_mut() = Tensor::<_, f64>::of([2.0, 0.5, 1.5, 0.25]);
        part
    }

    fn x() -> Tensor<Rank2<5, 3>, f64> {
        Tensor::randn(&mut StdRng::seed_from_u64(1))
    }

    #[test]
    fn it_is_the_part_in_use() {
        let part = part();
        let expected = part.forward(x());
        assert_eq!(eval(&part).forward(x()), expected);
        assert_eq!(eval(&part).forward(Tape::inference().trace(x())), expected);
        let tape = Tape::training(&mut StdRng::seed_from_u64(2));
        assert_eq!(eval(&part).forward(tape.trace(x())), expected);
        assert_eq!(frozen(&eval(&part)).forward(tape.trace(x())), expected);
        assert_eq!(eval(&frozen(&part)).forward(tape.trace(x())), expected);
        assert_ne!(part.forward(tape.trace(x())), expected);
        // blocks of a list, boxes, and what follows in training mode
        let list = vec![Eval(Box::new(Residual(BatchNorm1d::<3, f64>::init(&mut StdRng::seed_from_u64(0))))); 2];
        assert_eq!(list.forward(tape.trace(x())), list.forward(x()));
        let dropped = (Eval(BatchNorm1d::<3, f64>::init(&mut StdRng::seed_from_u64(0))), Dropout::<50>);
        assert!(dropped.forward(tape.trace(x())).iter().any(|y| y == 0.0));
    }

    /// Every layer that depends on the mode.
    #[test]
    fn no_layer_inside_knows_of_the_training_tape() {
        fn check<M, S: Shape, R: Shape>(x: Tensor<S>)
        where
            M: Init
                + Module<Tensor<S>, Output = Tensor<R>>
                + Module<Tensor<S, f32, Traced<Training>>, Output = Tensor<R, f32, Traced<Training>>>
                + Module<Tensor<S, f32, Traced<Inference>>, Output = Tensor<R, f32, Traced<Inference>>>,
        {
            let mut rng = StdRng::seed_from_u64(0);
            let layer = M::init(&mut rng);
            let tape = Tape::training(&mut rng);
            assert_eq!(eval(&layer).forward(tape.trace(x.clone())), layer.forward(x.clone()));
            assert_ne!(layer.forward(tape.trace(x.clone())), layer.forward(x));
        }
        let mut rng = StdRng::seed_from_u64(3);
        let images = Tensor::<Rank4<2, 3, 4, 5>>::randn(&mut rng);
        let sequences = Tensor::<Rank3<2, 5, 8>>::randn(&mut rng);
        check::<Dropout<50>, _, _>(images.clone());
        check::<Dropout2d<50>, _, _>(images.clone());
        check::<BatchNorm2d<3>, _, _>(images.clone());
        check::<BatchNorm2dNoAffine<3>, _, _>(images.clone());
        check::<BatchNorm1d<5>, _, _>(sequences.clone());
        check::<BatchNorm1dNoAffine<5>, _, _>(sequences.clone());
        check::<MultiHeadAttention<8, 2, 50>, _, _>(sequences.clone());
        check::<TransformerEncoder<TransformerEncoderLayer<8, 2, 16>, 2>, _, _>(sequences);
        check::<Residual<(Conv2d<3, 3, 3, 1, 1>, Dropout<50>)>, _, _>(images);
    }

    #[test]
    fn its_gradients_are_those_of_the_part_in_use() {
        let part = part();
        check_gradients(|x| eval(&part).forward(x), x()).unwrap();
        check_parameter_gradients(&part, |part, tape| eval(part).forward(tape.trace(x()))).unwrap();
        let tape = Tape::training(&mut StdRng::seed_from_u64(2));
        let input = tape.watch(x());
        let gradients = frozen(&eval(&part)).forward(input.clone()).square().sum().backward();
        assert_eq!(gradients.unreached(&part).len(), 6);
        let alone = Tape::inference();
        let alone_input = alone.watch(x());
        let expected = part.forward(alone_input.clone()).square().sum().backward();
        assert_eq!(gradients.of_input(&input), expected.of_input(&alone_input));
    }

    #[test]
    fn running_averages_stay_as_they_are() {
        let mut model = (Eval(part()), BatchNorm1d::<2, f64>::init(&mut StdRng::seed_from_u64(0)));
        let before = model.0.0.1.running_mean.value().clone();
        let tape = Tape::training(&mut StdRng::seed_from_u64(2));
        let gradients = model.forward(tape.trace(x())).square().sum().backward();
        Sgd::new(SgdConfig::default()).step(&mut model, &gradients);
        assert_eq!(model.0.0.1.running_mean.value(), &before);
        assert_ne!(model.1.running_mean.value(), &Tensor::zeros());
        // after a run in training mode on the same tape, the averages are those that it noted, as in PyTorch
        let tape = Tape::training(&mut StdRng::seed_from_u64(2));
        let norm = model.1.clone();
        let batch: Tensor<Rank2<2, 2>, f64> = Tensor::<_, f64>::of([[1.0, 2.0], [3.0, -4.0]]);
        let trained = norm.forward(tape.trace(batch.clone()));
        let found = eval(&norm).forward(tape.trace(batch.clone()));
        let mut stepped = norm.clone();
        stepped.copy_from(&norm);
        let again = stepped.forward(Tape::training(&mut StdRng::seed_from_u64(0)).trace(batch.clone()));
        Sgd::new(SgdConfig { learning_rate: 0.0, ..Default::default() }).step(&mut stepped, &again.sum().backward());
        assert_eq!(found, stepped.forward(batch));
        drop(trained);
    }

    #[test]
    fn nothing_is_recorded_of_a_frozen_part_whose_input_wants_no_gradient() {
        let part = part();
        let tape = Tape::training(&mut StdRng::seed_from_u64(2));
        let _ = frozen(&eval(&part)).forward(tape.trace(x()));
        assert_eq!(format!("{tape:?}"), "Tape { entries: 0, used up: false }");
        // cut off from the layers before
        let watched = tape.watch(x());
        let _ = frozen(&eval(&part)).forward(watched.detach().on(&watched));
        assert_eq!(format!("{tape:?}"), "Tape { entries: 1, used up: false }");
    }

    /// Code that is generic over the trace needs no bound.
    #[derive(Init, Parameters)]
    struct Net {
        features: Frozen<Eval<(Linear<3, 4>, BatchNorm1d<4>)>>,
        cell: Eval<LstmCell<4, 2>>,
        head: Linear<2, 1>,
    }
    impl<B: Dim, T: Trace> Module<(Tensor<(B, Const<3>), f32, T>, LstmState<B, Const<2>, f32, T>)> for Net {
        type Output = Tensor<(B, Const<1>), f32, T>;
        fn apply(&self, (x, state): (Tensor<(B, Const<3>), f32, T>, LstmState<B, Const<2>, f32, T>)) -> Self::Output {
            let features = self.features.forward(x);
            let state = self.cell.forward((features, state));
            self.head.forward(state.hidden)
        }
    }
    #[derive(Init, Module, Parameters)]
    struct Derived {
        features: Eval<(Linear<3, 4>, Dropout<50>)>,
        head: Linear<4, 1>,
    }

    #[test]
    fn it_stands_in_modules_of_every_make() {
        let net = Net::init(&mut StdRng::seed_from_u64(0));
        let state = || LstmState { hidden: Tensor::<Rank2<5, 2>>::zeros(), cell: Tensor::<Rank2<5, 2>>::ones() };
        let x = Tensor::<Rank2<5, 3>>::randn(&mut StdRng::seed_from_u64(1));
        let expected = net.forward((x.clone(), state()));
        let tape = Tape::training(&mut StdRng::seed_from_u64(2));
        let traced = tape.trace(x.clone());
        let y = net.forward((traced.clone(), state().on(&traced)));
        assert_eq!(y, expected);
        assert!(y.sum().backward().unreached(&net).is_empty());
        // a state that is not on the tape meets an input that is
        let mixed = eval(&net.cell.0);
        let tape = Tape::training(&mut StdRng::seed_from_u64(2));
        let features = tape.trace(Tensor::<Rank2<5, 4>>::ones());
        let _: LstmState<_, _, f32, Traced<Training>> = mixed.forward((features.clone(), state().on(&features)));

        let derived = Derived::init(&mut StdRng::seed_from_u64(0));
        let mut names = Vec::new();
        derived.for_each_parameter(|name, leaf| names.push((name.to_string(), leaf.kind)));
        assert_eq!(names[0], ("features.0.weight".to_string(), Kind::Parameter));
        assert_eq!(derived.forward(tape.trace(x.clone())), derived.forward(x));
    }
}
