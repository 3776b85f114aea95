//! What layers use and do, recorded for the summary of a model.
//!
//! A layer's `forward` begins and ends a frame, its parameters note themselves when they are used, and operations note
//! their multiply-adds. So any composition of layers can be summarised by running it once. Otherwise all this costs is
//! checking a thread-local flag.
//!
//! The model runs in its own thread. In the caller's, which may be one of rayon's, other jobs could start while an
//! operation waits, and their layers would be recorded as well.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What one layer did.
#[derive(Clone, Debug)]
pub struct LayerNote {
    /// The name of the layer's type.
    pub layer: &'static str,
    /// The name of its output's type.
    pub output: &'static str,
    /// The ids of the parameters that it was the first to use, and how many numbers each has.
    pub parameters: Vec<(u64, usize)>,
    pub multiply_adds: u64,
}

struct Frame {
    note: LayerNote,
    /// Whether other layers ran inside: then they have the notes, except for the rest.
    composite: bool,
    /// An earlier note that has one of the parameters used here.
    earlier: Option<usize>,
}

#[derive(Default)]
struct Recorder {
    frames: Vec<Frame>,
    notes: Vec<LayerNote>,
    /// Which note each parameter is in.
    owners: HashMap<u64, usize>,
}

thread_local! {
    static RUNNING: Cell<bool> = const { Cell::new(false) };
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

fn record(change: impl FnOnce(&mut Recorder)) {
    RECORDER.with_borrow_mut(|recorder| recorder.as_mut().map(change));
}

/// Runs `f` and returns what each layer in it did, in the order in which they finished.
///
/// # Panics
/// At the caller's line, if `f` does.
#[track_caller]
pub fn layers_of(f: impl FnOnce() + Send) -> Vec<LayerNote> {
    // A pool of one thread: what `f` itself hands to rayon is run by this thread too, so its layers are recorded.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one more thread");
    let run = || {
        RECORDER.set(Some(Recorder::default()));
        RUNNING.set(true);
        f();
        RECORDER.take().map_or(Vec::new(), |recorder| recorder.notes)
    };
    match pool.install(|| catch_unwind(AssertUnwindSafe(run))) {
        Ok(notes) => notes,
        Err(panic) => match panic.downcast_ref::<String>() {
            Some(message) => panic!("{message}"),
            None => resume_unwind(panic),
        },
    }
}

/// A layer is running while this lives.
pub struct RunningLayer(bool);

impl RunningLayer {
    /// `layer` and `output` are names of types, asked for only if they will be used.
    #[inline]
    pub fn begin(layer: fn() -> &'static str, output: fn() -> &'static str) -> Self {
        let running = RUNNING.get();
        if running {
            begin(layer(), output());
        }
        RunningLayer(running)
    }
}

impl Drop for RunningLayer {
    #[inline]
    fn drop(&mut self) {
        if self.0 {
            record(Recorder::end);
        }
    }
}

#[cold]
fn begin(layer: &'static str, output: &'static str) {
    let note = LayerNote { layer, output, parameters: Vec::new(), multiply_adds: 0 };
    record(|recorder| {
        if let Some(outer) = recorder.frames.last_mut() {
            outer.composite = true;
        }
        recorder.frames.push(Frame { note, composite: false, earlier: None });
    });
}

/// A parameter of `count` numbers is used.
#[inline]
pub fn note_parameter(id: u64, count: usize) {
    if RUNNING.get() {
        record(|recorder| recorder.parameter(id, count));
    }
}

/// Counts an operation's multiply-adds.
#[inline]
pub fn note_multiply_adds(count: usize) {
    if RUNNING.get() {
        record(|recorder| {
            if let Some(frame) = recorder.frames.last_mut() {
                frame.note.multiply_adds += count as u64;
            }
        });
    }
}

impl Recorder {
    fn parameter(&mut self, id: u64, count: usize) {
        let Some(frame) = self.frames.last_mut() else { return };
        match self.owners.get(&id) {
            Some(&earlier) => frame.earlier = Some(earlier),
            None if frame.note.parameters.iter().any(|&(known, _)| known == id) => {}
            None => frame.note.parameters.push((id, count)),
        }
    }

    fn end(&mut self) {
        let Some(Frame { note, composite, earlier }) = self.frames.pop() else { return };
        let idle = note.parameters.is_empty() && note.multiply_adds == 0;
        match earlier {
            // the same layer again: a cell that runs once for each step
            Some(earlier) if note.parameters.is_empty() => self.notes[earlier].multiply_adds += note.multiply_adds,
            _ if composite && idle => {}
            _ => {
                self.owners.extend(note.parameters.iter().map(|&(id, _)| (id, self.notes.len())));
                self.notes.push(note);
            }
        }
    }
}
