//! Capturing the output of a layer.

use super::{Mode, Tape, Trace, Traced};
use crate::memory::Storage;
use crate::shape::{Shape, show_sizes};
use crate::tape::{Layer, Node, Observer, Value};
use crate::tensor::{Float, Tensor};
use std::any::type_name;
use std::marker::PhantomData;

/// A layer whose output is read: see [`Tape::observe`].
pub struct Observed<M> {
    observer: Observer,
    mode: PhantomData<M>,
}

impl<M> std::fmt::Debug for Observed<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Observed {{ layer: {} }}", self.observer.layer.name)
    }
}

impl<M: Mode> Tape<M> {
    /// Captures the output of a layer when the model runs on this tape: choose the layer by the path to it,
    /// `&model.0.1`. The model needs no changes.
    ///
    /// [`value`](Observed::value) is the output, a value of the computation:
    /// [`Gradients::of_input`](super::Gradients::of_input) is the gradient there, if something before it needs one (the
    /// input is [watched](Tape::watch), or it comes after parameters that are not frozen). That serves explanations,
    /// features of a trained network, losses on features, and debugging.
    ///
    /// Any part of a model is a layer that is run by [`forward`](crate::nn::Forward::forward): a member of a tuple, a
    /// whole block, a field of a module written by hand. Parts without an address of their own, such as several `Relu`s
    /// in one tuple, cannot be told apart: choose the tuple.
    ///
    /// Johnson, Alahi and Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", 2016, compare
    /// images by a layer's features:
    ///
    /// ```
    /// use taut::prelude::*;
    /// type Network = ((Conv2d<1, 4, 3>, Relu), MaxPool2d<2>, Flatten, Linear<36, 10>);
    /// let mut rng = StdRng::seed_from_u64(0);
    /// let network = Network::init(&mut rng);
    ///
    /// /// What the first block sees in an image.
    /// fn features(network: &Network, tape: &Tape<Inference>, image: Tensor<Rank4<1, 1, 8, 8>, f32, Traced<Inference>>)
    ///     -> Tensor<Rank4<1, 4, 6, 6>, f32, Traced<Inference>> {
    ///     let block = tape.observe(&network.0);
    ///     let _ = frozen(network).forward(image);
    ///     block.value()
    /// }
    ///
    /// let tape = Tape::inference();
    /// let image = tape.watch(Tensor::randn(&mut rng));
    /// let goal = features(&network, &tape, tape.trace(Tensor::randn(&mut rng))).detach();
    /// let seen = features(&network, &tape, image.clone());
    /// let gradients = seen.clone().mean_squared_error(&goal).backward();
    /// let change: Tensor<Rank4<1, 1, 8, 8>> = gradients.of_input(&image);
    /// let of_features: Tensor<Rank4<1, 4, 6, 6>> = gradients.of_input(&seen);
    /// ```
    #[doc(alias = "register_forward_hook")]
    pub fn observe<L: ?Sized>(&self, layer: &L) -> Observed<M> {
        Observed { observer: Observer::new(self.shared().clone(), Layer::of(layer)), mode: PhantomData }
    }
}

impl<M: Mode> Observed<M> {
    /// The output of the layer, with the requested shape; dimensions may be `usize`.
    ///
    /// # Panics
    /// If the layer did not run, ran several times ([`values`](Observed::values)), returned its input unchanged, or its
    /// output has another shape or type.
    #[track_caller]
    pub fn value<S: Shape, E: Float>(&self) -> Tensor<S, E, Traced<M>> {
        let mut values = self.values();
        match (values.pop(), values.len()) {
            (Some(value), 0) => value,
            (None, _) => panic!(
                "observe: {} made nothing in this pass: it did not run, or passed on what it was given",
                self.observer.layer.name
            ),
            (_, others) => panic!(
                "observe: {} gave {} values: layers without parameters in one tuple are not told apart, and a layer \
                 may run several times; `values` has all",
                self.observer.layer.name,
                others + 1
            ),
        }
    }

    /// The outputs of the layer, one for each time it ran.
    ///
    /// # Panics
    /// If an output has another shape or type.
    #[track_caller]
    pub fn values<S: Shape, E: Float>(&self) -> Vec<Tensor<S, E, Traced<M>>> {
        let Observer { tape, layer } = &self.observer;
        let mut values = Vec::new();
        for Value { sizes, storage, id } in tape.observations.values(*layer) {
            let (Some(shape), Some(storage)) = (S::from_sizes(&sizes), storage.downcast_ref::<Storage<E>>()) else {
                let (found, expected) = (show_sizes(&sizes), type_name::<Tensor<S, E>>());
                panic!("observe: {} gave a value of shape {found}, and not a {expected}", self.observer.layer.name);
            };
            let node = Node { tape: tape.clone(), id };
            values.push(Tensor::from_storage(shape, storage.clone()).with_trace(Traced::from_node(Some(node))));
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;
    use rand::RngExt;

    type Network = ((Linear<3, 4>, Tanh), Residual<(Linear<4, 4>, Relu)>, Linear<4, 2>);
    type Batch<const N: usize> = Tensor<Rank2<5, N>>;

    fn network() -> (Network, Batch<3>) {
        let mut rng = StdRng::seed_from_u64(0);
        (Network::init(&mut rng), Tensor::randn(&mut rng))
    }

    #[test]
    fn values_are_those_of_the_layers() {
        let (network, x) = network();
        let tape = Tape::inference();
        let (first, linear, block) =
            (tape.observe(&network.0), tape.observe(&network.0.0), tape.observe(&network.1.0.0));
        let whole = tape.observe(&network);
        let y = network.forward(tape.trace(x.clone()));
        let expected = network.0.forward(x.clone());
        assert_eq!(first.value(), expected);
        assert_eq!(linear.value(), network.0.0.forward(x));
        assert_eq!(block.value(), network.1.0.0.forward(expected));
        assert_eq!(whole.value::<Rank2<5, 2>, f32>(), y);
        // with dimensions known only at run time
        assert_eq!(whole.value::<(usize, usize), f32>().shape(), (5, 2));
    }

    #[test]
    fn gradients_are_those_of_the_rest_of_the_network() {
        let (network, x) = network();
        let tape = Tape::training(&mut StdRng::seed_from_u64(1));
        let seen = tape.observe(&network.0);
        let y = network.forward(tape.watch(x.clone()));
        let value: Tensor<Rank2<5, 4>, f32, _> = seen.value();
        let gradient = y.square().sum().backward().of_input(&value);

        let tape = Tape::inference();
        let value = tape.watch(network.0.forward(x));
        let y = network.2.forward(network.1.forward(value.clone()));
        assert_eq!(gradient, y.square().sum().backward().of_input(&value));
    }

    /// Modules by hand, lists, boxes, references, parts in inference mode.
    #[test]
    fn any_part_of_a_model_is_a_layer() {
        #[allow(clippy::vec_box)]
        struct Hand {
            // boxes are what is tested
            #[allow(clippy::vec_box)]
            blocks: Vec<Box<Linear<3, 3>>>,
            norm: Eval<BatchNorm1d<3>>,
        }
        impl<T: Trace> Module<Tensor<Rank2<5, 3>, f32, T>> for Hand {
            type Output = Tensor<Rank2<5, 3>, f32, T>;
            #[allow(clippy::needless_borrow)]
            fn apply(&self, x: Tensor<Rank2<5, 3>, f32, T>) -> Self::Output {
                self.norm.forward(self.blocks.forward(x)).tanh()
            }
        }
        let mut rng = StdRng::seed_from_u64(0);
        let blocks = (0..3).map(|_| Box::new(Linear::init(&mut rng))).collect();
        let hand = Hand { blocks, norm: Eval(BatchNorm1d::init(&mut rng)) };
        let x = Batch::<3>::randn(&mut rng);
        let tape = Tape::training(&mut rng);
        let (second, inner, norm) =
            (tape.observe(&hand.blocks[1]), tape.observe(&*hand.blocks[1]), tape.observe(&hand.norm));
        let y = hand.forward(tape.trace(x.clone()));
        let expected = hand.blocks[1].forward(hand.blocks[0].forward(x));
        assert_eq!(second.value(), expected);
        assert_eq!(inner.value(), expected);
        assert_eq!(norm.value::<Rank2<5, 3>, f32>().tanh(), y);
    }

    #[test]
    fn a_layer_that_runs_again_gives_again() {
        let (network, x) = network();
        let tape = Tape::inference();
        let seen = tape.observe(&network.0);
        for factor in [1.0, 2.0] {
            let _ = network.forward(tape.trace(x.clone() * factor));
        }
        let values = seen.values::<Rank2<5, 4>, f32>();
        assert_eq!(values, [network.0.forward(x.clone()), network.0.forward(x * 2.0)]);
    }

    #[test]
    fn other_tapes_and_threads_are_not_observed() {
        let (network, x) = network();
        let tape = Tape::inference();
        let seen = tape.observe(&network.0);
        let _ = network.forward(Tape::inference().trace(x.clone()));
        let _ = network.forward(x.clone());
        std::thread::scope(|scope| {
            scope.spawn(|| network.forward(Tape::inference().trace(x.clone())).detach());
        });
        assert!(seen.values::<Rank2<5, 4>, f32>().is_empty());
        let _ = network.forward(tape.trace(x.clone()));
        assert_eq!(seen.values::<Rank2<5, 4>, f32>().len(), 1);
        drop(seen);
        let _ = network.forward(tape.trace(x));
        assert!(tape.observe(&network.0).values::<Rank2<5, 4>, f32>().is_empty());
    }

    /// Passes that are jobs of one pool interrupt each other where products wait.
    #[test]
    fn passes_of_one_pool_do_not_see_each_other() {
        use rayon::prelude::*;
        type Wide = (Linear<96, 256>, Tanh, Linear<256, 128>);
        let mut rng = StdRng::seed_from_u64(3);
        let network = Wide::init(&mut rng);
        let inputs: Vec<Tensor<Rank2<512, 96>>> = (0..12).map(|_| Tensor::randn(&mut rng)).collect();
        let _ = rng.random::<u32>();
        let expected: Vec<_> = inputs.iter().map(|x| network.0.forward(x.clone())).collect();
        let found: Vec<Tensor<Rank2<512, 256>>> = inputs
            .par_iter()
            .map(|x| {
                let tape = Tape::inference();
                let seen = tape.observe(&network.0);
                let _ = network.forward(tape.trace(x.clone()));
                seen.value().detach()
            })
            .collect();
        assert!(found == expected);
    }

    #[test]
    #[should_panic(expected = "made nothing in this pass")]
    fn a_layer_that_did_not_run() {
        let (network, _) = network();
        let tape = Tape::inference();
        let _ = tape.observe(&network.0).value::<Rank2<5, 4>, f32>();
    }

    #[test]
    #[should_panic(expected = "gave a value of shape (5, 4), and not a ")]
    fn a_layer_of_another_shape() {
        let (network, x) = network();
        let tape = Tape::inference();
        let seen = tape.observe(&network.0);
        let _ = network.forward(tape.trace(x));
        let _ = seen.value::<Rank2<5, 3>, f32>();
    }

    #[test]
    #[should_panic(expected = "gave 2 values")]
    fn layers_that_are_not_told_apart() {
        let mut rng = StdRng::seed_from_u64(0);
        let network = <(Linear<3, 3>, Relu, Linear<3, 3>, Relu)>::init(&mut rng);
        let tape = Tape::inference();
        let seen = tape.observe(&network.1);
        let _ = network.forward(tape.trace(Batch::<3>::randn(&mut rng)));
        let _ = seen.value::<Rank2<5, 3>, f32>();
    }
}
