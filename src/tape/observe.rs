//! Capturing the output of a layer while the model runs.
//!
//! A layer is identified by its address and type, so the model need not change. While a pass is observed, `forward`
//! puts each layer that begins on a list of its thread, and every value made on the observed tape is noted for the
//! layers running then: the last one of a layer's output type is its output.
//!
//! The list is the thread's, since a layer does not know which tape it runs on. While a product waits for other threads
//! of rayon's pool, its thread may start another pass. Its tape is younger than the layers that it interrupts, so a
//! value is noted only for layers that began after its tape was made.

use super::id::{NodeId, next_number};
use super::nodes::{Node, Shared};
use super::observations::{Layer, Value};
use crate::memory::Storage;
use crate::numbers::Element;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A running layer, in a thread in which something is observed.
struct Running {
    number: u64,
    layer: Layer,
    /// The name of its output's type.
    output: &'static str,
    /// The last value of that type, and the tape that it is on.
    made: Option<(Rc<Shared>, Value)>,
}

thread_local! {
    static OBSERVED: Cell<usize> = const { Cell::new(0) };
    static RUNNING: RefCell<Vec<Running>> = const { RefCell::new(Vec::new()) };
}

/// While this lives, a layer is observed on a tape.
pub struct Observer {
    pub tape: Rc<Shared>,
    pub layer: Layer,
}

impl Observer {
    pub fn new(tape: Rc<Shared>, layer: Layer) -> Self {
        OBSERVED.set(OBSERVED.get() + 1);
        tape.observations.begin(layer);
        Observer { tape, layer }
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        OBSERVED.set(OBSERVED.get() - 1);
        self.tape.observations.end(self.layer);
    }
}

/// While this lives, a layer runs.
pub struct ObservedLayer(bool);

impl ObservedLayer {
    /// `output` is the name of the layer's output type.
    #[inline]
    pub fn begin<L: ?Sized>(layer: &L, output: fn() -> &'static str) -> Self {
        let observed = OBSERVED.get() > 0;
        if observed {
            begin(Layer::of(layer), output());
        }
        ObservedLayer(observed)
    }
}

#[cold]
fn begin(layer: Layer, output: &'static str) {
    RUNNING.with_borrow_mut(|running| running.push(Running { number: next_number(), layer, output, made: None }));
}

impl Drop for ObservedLayer {
    #[inline]
    fn drop(&mut self) {
        if self.0 {
            end();
        }
    }
}

#[cold]
fn end() {
    let ended = RUNNING.with_borrow_mut(|running| running.pop());
    let Some(Running { layer, made: Some((tape, value)), .. }) = ended else { return };
    if std::thread::panicking() {
        return;
    }
    if tape.observations.gave(layer, &value) && value.id != NodeId::CONSTANT {
        tape.watch(value.id);
    }
}

/// A value was made on a tape: its sizes and elements, and the name of its type.
#[inline]
pub fn note_value<E: Element>(
    sizes: impl AsRef<[usize]>,
    storage: &Storage<E>,
    node: &Node,
    name: fn() -> &'static str,
) {
    if node.tape.observations.count.get() > 0 {
        // a pointer, as in `parallel::tasks`
        let note: fn(&[usize], &Storage<E>, &Node, &'static str) = note;
        note(sizes.as_ref(), storage, node, name());
    }
}

#[cold]
fn note<E: Element>(sizes: &[usize], storage: &Storage<E>, node: &Node, name: &'static str) {
    RUNNING.with_borrow_mut(|running| {
        for layer in running.iter_mut().filter(|layer| layer.number > node.tape.number && layer.output == name) {
            let value = Value { sizes: sizes.to_vec(), storage: Rc::new(storage.clone()), id: node.id };
            layer.made = Some((node.tape.clone(), value));
        }
    });
}
