//! What a tape holds: entries, parameters that joined, and recorded updates.

use super::frozen::is_frozen;
use super::gradient::Backward;
use super::id::{NoHash, NodeId};
use super::meeting::Meeting;
use super::observations::Observations;
use super::update::Update;
use crate::numbers::Generator;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// A value's place on a tape.
#[derive(Clone)]
pub struct Node {
    pub tape: Rc<Shared>,
    pub id: NodeId,
}

impl Node {
    /// Whether this needs a gradient.
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
    /// The observed outputs of layers.
    pub observations: Observations,
    /// The connection to the other parts of the batch, if they run at the same time. Closures may keep it.
    pub meeting: Option<Rc<Meeting>>,
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
    pub generator: Option<Generator>,
    /// The numbers of the batch's samples in the dataset, if randomness is by sample.
    pub samples: Option<Arc<[usize]>>,
    /// `backward` has run: the tape is used up.
    pub closed: bool,
}

const USED_UP: &str = "this tape was used up by `backward`, and nothing can be recorded on it any more: \
                       make a new tape for each forward pass";

impl Shared {
    /// Whether a parameter that joins now is a constant.
    #[inline]
    pub fn is_frozen(&self) -> bool {
        is_frozen(self.number)
    }

    #[track_caller]
    pub fn add(&self, backward: Option<Backward>) -> NodeId {
        let mut state = self.state.borrow_mut();
        if state.closed {
            panic!("{USED_UP}");
        }
        let id = NodeId::of_index(state.nodes.len());
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
