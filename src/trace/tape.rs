//! The tape: the list of recorded operations.

use super::gradients::Update;
use super::record::Backward;
use super::{Inference, Mode, Trace, Traced, Training};
use crate::Rng;
use crate::shape::Shape;
use crate::tensor::{Element, Float, Tensor};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The number of a node on its tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(u32);

impl NodeId {
    /// A value that is on the tape but needs no gradient, and so has no node.
    pub const CONSTANT: NodeId = NodeId(u32::MAX);

    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A value's place on a tape.
#[derive(Clone)]
pub struct Node {
    pub tape: Rc<Shared>,
    pub id: NodeId,
}

impl Node {
    /// Whether a gradient is wanted here.
    #[inline]
    pub fn needs_gradient(&self) -> bool {
        self.id != NodeId::CONSTANT
    }
}

/// What the values on a tape share.
pub struct Shared {
    /// Different for every tape of the program, and higher than those of older ones.
    pub number: u64,
    /// Whether ReLUs pass on positive gradients only.
    pub guided: Cell<bool>,
    pub state: RefCell<State>,
}

pub struct State {
    /// How to pass a gradient on, by node. `None` for a leaf: a parameter or an input.
    pub nodes: Vec<Option<Backward>>,
    /// The node of each parameter that joined, by the parameter's id.
    pub parameters: HashMap<u64, NodeId, NoHash>,
    /// The nodes, leaves or not, whose gradients the user asked for.
    pub watched: Vec<NodeId>,
    /// How buffers (running statistics) change, in the order in which layers ran.
    pub updates: Vec<Update>,
    pub generator: Option<Rng>,
    /// `backward` ran: the tape is used up.
    pub closed: bool,
}

const USED_UP: &str = "this tape was used up by `backward`, and nothing can be recorded on it any more: \
                       make a new tape for each forward pass";

impl Shared {
    #[track_caller]
    pub fn add(&self, backward: Option<Backward>) -> NodeId {
        let mut state = self.state.borrow_mut();
        if state.closed {
            panic!("{USED_UP}");
        }
        let id = u32::try_from(state.nodes.len()).ok().filter(|&id| id != u32::MAX);
        let id = NodeId(id.expect("a tape holds fewer than 2^32 operations"));
        state.nodes.push(backward);
        id
    }

    /// Keeps the gradient of a node for the user.
    #[track_caller]
    pub fn watch(&self, id: NodeId) {
        let mut state = self.state.borrow_mut();
        if state.closed {
            panic!("{USED_UP}");
        }
        if !state.watched.contains(&id) {
            state.watched.push(id);
        }
    }

    /// The node of a parameter: it joins the tape when it is first used, as a constant while it is frozen.
    #[track_caller]
    pub fn join(&self, parameter: u64) -> NodeId {
        if self.is_frozen() {
            return NodeId::CONSTANT;
        }
        let joined = self.state.borrow().parameters.get(&parameter).copied();
        if let Some(id) = joined {
            return id;
        }
        // no closure here: it would hide the caller's line
        let id = self.add(None);
        self.state.borrow_mut().parameters.insert(parameter, id);
        id
    }
}

/// A number that is higher than all that this thread was given before.
pub fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Relaxed)
}

/// Ids are counted up from 0, so they are good hashes already.
#[derive(Clone, Copy, Default)]
pub struct NoHash;
pub struct IdHasher(u64);
impl std::hash::BuildHasher for NoHash {
    type Hasher = IdHasher;
    fn build_hasher(&self) -> IdHasher {
        IdHasher(0)
    }
}
impl std::hash::Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 << 8) | u64::from(byte);
        }
    }
    fn write_u64(&mut self, id: u64) {
        // Fibonacci hashing: the table uses the high bits as well as the low ones
        self.0 = id.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

/// A list of recorded operations, for one forward and one backward pass.
///
/// A tape stays in the thread that made it. Several threads can run one model, each with a tape of its own, and add
/// up their [`Gradients`](super::Gradients).
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
    /// A tape on which layers behave as in training. One number is drawn from `rng` to seed the tape's own generator
    /// (dropout's masks come from it), so `rng` is free again at once.
    pub fn training<R: rand::Rng + ?Sized>(rng: &mut R) -> Self {
        Self::new(Some(Rng::from_seed_u64(rng.next_u64())))
    }
}

impl Tape<Inference> {
    /// A tape on which layers behave as in use.
    pub fn inference() -> Self {
        Self::new(None)
    }
}

impl<M: Mode> Tape<M> {
    fn new(generator: Option<Rng>) -> Self {
        let state = State {
            nodes: Vec::with_capacity(32),
            parameters: HashMap::default(),
            watched: Vec::new(),
            updates: Vec::new(),
            generator,
            closed: false,
        };
        let shared = Shared { number: next_number(), guided: Cell::new(false), state: RefCell::new(state) };
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

    /// Runs `f`, in which every ReLU that is recorded on this tape passes on the positive part of its gradient only:
    ///
    /// dx = max(g, 0) where x > 0, and 0 elsewhere
    ///
    /// Guided backpropagation: what is left of the gradient of a class in the input shows what speaks for it. The model stays
    /// as it is, and other tapes are not concerned. ReLUs inside a recurrent layer are not guided. Springenberg et
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
