//! The tape as users see it.

use super::{Inference, Mode, Trace, Traced, Training};
use crate::numbers::Generator;
use crate::shape::Shape;
use crate::tape::{Meeting, Node, NodeId, Observations, Shared, State, next_number};
use crate::tensor::{Element, Float, Tensor};
use rand::Rng as _;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

/// A list of recorded operations, for one forward and one backward pass.
///
/// A tape stays in the thread that made it. Several threads can run one model, each with its own tape, and add up their
/// [`Gradients`](super::Gradients).
///
/// ```
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let layer = Linear::<3, 1>::init(&mut rng);
/// let tape = Tape::training(&mut rng);
/// let x = tape.trace(Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
/// let gradients = layer.forward(x).sum().backward();
/// assert_eq!(gradients.of(&layer.weight).to_array(), [[5.0, 7.0, 9.0]]);
/// assert_eq!(gradients.of(&layer.bias).to_array(), [2.0]);
/// ```
pub struct Tape<M> {
    shared: Rc<Shared>,
    mode: PhantomData<M>,
}

impl<M> std::fmt::Debug for Tape<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.shared.state.borrow();
        write!(f, "Tape {{ entries: {}, used up: {} }}", state.nodes.len(), state.closed)
    }
}

impl Tape<Training> {
    /// A tape on which layers run in training mode. One number is drawn from `rng` to seed the tape's own generator
    /// (dropout's masks come from it), so `rng` is free again at once.
    pub fn training<R: rand::Rng + ?Sized>(rng: &mut R) -> Self {
        Self::with(Some(Generator::new(rng.next_u64())), None, None)
    }

    /// [`training`](Self::training) on samples that have numbers, usually their places in the dataset: what dropout
    /// drops depends on the seed and the sample's number, not on the other samples in the batch. So a batch can be
    /// divided into parts, on tapes with the same seed, and loses the same numbers as in one piece.
    ///
    /// The batch is taken to be the first axis of a tensor. If its elements cannot be divided into this many equal
    /// pieces, the number of the first sample decides for all.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let x = Tensor::<Rank2<4, 100>>::ones();
    /// let drop = |x, samples: &[usize]| {
    ///     let tape = Tape::training_of(samples, &mut StdRng::seed_from_u64(0));
    ///     Dropout::<50>.forward(tape.trace(x)).detach()
    /// };
    /// let whole = drop(x.clone(), &[7, 8, 9, 10]);
    /// assert_eq!(drop(x, &[3, 9, 2, 7]).slice_at::<0>(1), whole.slice_at::<0>(2));
    /// ```
    pub fn training_of<R: rand::Rng + ?Sized>(samples: impl Into<Arc<[usize]>>, rng: &mut R) -> Self {
        Self::with(Some(Generator::new(rng.next_u64())), Some(samples.into()), None)
    }

    /// The tape of a part of a batch that meets the others.
    pub(crate) fn training_with(samples: Arc<[usize]>, rng: &mut Generator, meeting: Meeting) -> Self {
        Self::with(Some(Generator::new(rng.next_u64())), Some(samples), Some(Rc::new(meeting)))
    }
}

impl Tape<Inference> {
    /// A tape on which layers run in inference mode.
    pub fn inference() -> Self {
        Self::with(None, None, None)
    }
}

impl<M> Tape<M> {
    /// Whether this parameter takes part in what was recorded.
    pub(crate) fn has_parameter(&self, parameter: u64) -> bool {
        self.shared.state.borrow().parameters.contains_key(&parameter)
    }
}

impl<M: Mode> Tape<M> {
    fn with(generator: Option<Generator>, samples: Option<Arc<[usize]>>, meeting: Option<Rc<Meeting>>) -> Self {
        let state = State {
            nodes: Vec::with_capacity(32),
            parameters: HashMap::default(),
            watched: Vec::new(),
            updates: Vec::new(),
            generator,
            samples,
            closed: false,
        };
        let shared = Shared {
            number: next_number(),
            guided: Cell::new(false),
            observations: Observations::default(),
            meeting,
            state: RefCell::new(state),
        };
        Tape { shared: Rc::new(shared), mode: PhantomData }
    }

    pub(super) fn shared(&self) -> &Rc<Shared> {
        &self.shared
    }

    fn bring<S: Shape, E: Element>(&self, tensor: Tensor<S, E>, id: NodeId) -> Tensor<S, E, Traced<M>> {
        let node = Node { tape: self.shared.clone(), id };
        tensor.with_trace(Traced::from_node(Some(node)))
    }

    /// Brings a value onto the tape. Operations on it are recorded, but it wants no gradient itself.
    pub fn trace<S: Shape, E: Element>(&self, tensor: Tensor<S, E>) -> Tensor<S, E, Traced<M>> {
        self.bring(tensor, NodeId::CONSTANT)
    }

    /// Brings a value onto the tape and wants its gradient:
    /// [`gradients.of_input(&x)`](super::Gradients::of_input).
    ///
    /// # Panics
    /// If `backward` already ran on this tape.
    #[track_caller]
    pub fn watch<S: Shape, E: Float>(&self, tensor: Tensor<S, E>) -> Tensor<S, E, Traced<M>> {
        let id = self.shared.add(None);
        self.shared.watch(id);
        self.bring(tensor, id)
    }

    /// Runs `f`; every ReLU recorded on this tape in it passes on only the positive part of its gradient:
    ///
    /// dx = max(g, 0) where x > 0, and 0 elsewhere
    ///
    /// Guided backpropagation: the remaining gradient of a class at the input shows what speaks for it. The model does
    /// not change, and other tapes are not affected. ReLUs inside a recurrent layer are not guided. Springenberg et
    /// al., "Striving for Simplicity: The All Convolutional Net", 2015.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let tape = Tape::inference();
    /// let x = tape.watch(Tensor::from([-1.0, 2.0, 3.0]));
    /// let y = tape.guided(|| Relu.forward(x.clone()));
    /// let gradients = (y * Tensor::from([5.0, 6.0, -7.0])).sum().backward();
    /// assert_eq!(gradients.of_input(&x).to_array(), [0.0, 6.0, 0.0]); // -7 without
    /// ```
    pub fn guided<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Outer<'a>(&'a Cell<bool>, bool);
        impl Drop for Outer<'_> {
            fn drop(&mut self) {
                self.0.set(self.1);
            }
        }
        let _put_back_even_on_panic = Outer(&self.shared.guided, self.shared.guided.replace(true));
        f()
    }
}
