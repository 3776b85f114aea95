//! The observed layers of a tape, and their outputs.

use super::id::NodeId;
use std::any::{Any, type_name};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The identity of a layer: zero-sized layers may share an address, and so do a model and its first layer, so the type
/// is part of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layer {
    address: usize,
    /// The name of its type.
    pub name: &'static str,
}

impl Layer {
    pub fn of<L: ?Sized>(layer: &L) -> Self {
        Layer { address: (&raw const *layer).addr(), name: type_name::<L>() }
    }
}

/// A value on the tape.
#[derive(Clone)]
pub struct Value {
    pub sizes: Vec<usize>,
    /// A `Storage` of some type of elements.
    pub storage: Rc<dyn Any>,
    pub id: NodeId,
}

/// What is observed on a tape.
#[derive(Default)]
pub struct Observations {
    /// The number of layers.
    pub count: Cell<usize>,
    layers: RefCell<Vec<(Layer, Vec<Value>)>>,
}

impl Observations {
    pub fn begin(&self, layer: Layer) {
        self.count.set(self.count.get() + 1);
        self.layers.borrow_mut().push((layer, Vec::new()));
    }

    pub fn end(&self, layer: Layer) {
        self.count.set(self.count.get() - 1);
        let mut layers = self.layers.borrow_mut();
        if let Some(place) = layers.iter().position(|(observed, _)| *observed == layer) {
            layers.remove(place);
        }
    }

    /// Records the output of a layer. Returns whether the layer is observed.
    pub fn gave(&self, layer: Layer, value: &Value) -> bool {
        let mut layers = self.layers.borrow_mut();
        let mut observed = false;
        for (_, values) in layers.iter_mut().filter(|(observed, _)| *observed == layer) {
            values.push(value.clone());
            observed = true;
        }
        observed
    }

    /// The outputs of a layer, one for each time it ran.
    pub fn values(&self, layer: Layer) -> Vec<Value> {
        let layers = self.layers.borrow();
        layers.iter().find(|(observed, _)| *observed == layer).map_or(Vec::new(), |(_, values)| values.clone())
    }
}
