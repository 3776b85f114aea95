//! Gradients while the tape is walked back: a table by node.

use super::any_storage::AnyStorage;
use super::id::NodeId;
use super::rows::Rows;
use crate::kernels::store::Store;
use crate::memory::Storage;
use crate::numbers::Float;

/// The gradient of a node.
#[derive(Clone)]
pub enum Gradient {
    /// For all its elements.
    Whole(AnyStorage),
    /// For some rows of a table.
    Rows(Rows),
}

impl Gradient {
    /// The gradient of all elements.
    pub fn whole(self) -> AnyStorage {
        match self {
            Gradient::Whole(values) => values,
            Gradient::Rows(rows) => rows.whole(),
        }
    }

    pub fn add(&mut self, more: Gradient) {
        match (&mut *self, more) {
            (Gradient::Whole(sum), Gradient::Whole(more)) => sum.add(more),
            (Gradient::Whole(sum), Gradient::Rows(rows)) => rows.add_to(sum),
            (Gradient::Rows(rows), Gradient::Whole(mut sum)) => {
                rows.add_to(&mut sum);
                *self = Gradient::Whole(sum);
            }
            (Gradient::Rows(rows), Gradient::Rows(more)) => *rows = rows.clone().merge(more),
        }
    }

    /// The stored numbers; all others are zero.
    pub fn values(&self) -> &AnyStorage {
        match self {
            Gradient::Whole(values) => values,
            Gradient::Rows(rows) => &rows.values,
        }
    }

    pub fn values_mut(&mut self) -> &mut AnyStorage {
        match self {
            Gradient::Whole(values) => values,
            Gradient::Rows(rows) => &mut rows.values,
        }
    }
}

/// The gradients of nodes, while `backward` walks the tape.
pub struct Table {
    nodes: Vec<Option<Gradient>>,
    /// An error in a user's backward pass.
    pub wrong: Option<String>,
}

impl Table {
    pub fn new(nodes: usize) -> Self {
        Table { nodes: (0..nodes).map(|_| None).collect(), wrong: None }
    }

    pub fn take(&mut self, node: NodeId) -> Option<Gradient> {
        self.nodes.get_mut(node.index())?.take()
    }

    pub fn take_at(&mut self, index: usize) -> Option<AnyStorage> {
        self.nodes[index].take().map(Gradient::whole)
    }

    pub fn add(&mut self, node: NodeId, gradient: Gradient) {
        match &mut self.nodes[node.index()] {
            Some(sum) => sum.add(gradient),
            empty => *empty = Some(gradient),
        }
    }

    /// Lets `write` overwrite a new buffer of `len` elements, or add to the one that is there.
    #[inline]
    pub fn write<E: Float>(&mut self, node: NodeId, len: usize, write: impl FnOnce(&mut [E], Store)) {
        let (mut storage, store) = self.take_buffer(node, len);
        write(storage.make_mut(), store);
        self.put_buffer(node, storage);
    }

    // everything but `write` is compiled once per element type, not per operation
    fn take_buffer<E: Float>(&mut self, node: NodeId, len: usize) -> (Storage<E>, Store) {
        match self.nodes[node.index()].take() {
            Some(there) => (there.whole().of(), Store::Add),
            None => (Storage::scratch(len), Store::Overwrite),
        }
    }

    fn put_buffer<E: Float>(&mut self, node: NodeId, storage: Storage<E>) {
        self.nodes[node.index()] = Some(Gradient::Whole(E::wrap(storage)));
    }
}

/// Passes the gradient of a node on to its parents.
pub type Backward = Box<dyn FnOnce(AnyStorage, &mut Table)>;
