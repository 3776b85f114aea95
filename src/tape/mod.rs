//! The tape without shapes: entries, gradients by entry, and the walk back. The part that users see is in `trace/`.
//!
//! | file | what is there |
//! | --- | --- |
//! | `mode.rs` | whether a value is recorded, and in which mode |
//! | `nodes.rs`, `id.rs` | what a tape holds, and the numbers of its entries |
//! | `record.rs` | adding an operation |
//! | `walk.rs`, `gradient.rs`, `rows.rs` | the walk back, and gradients while it runs |
//! | `update.rs` | how running statistics change |
//! | `meeting.rs` | where tapes of parts of one batch meet |
//! | `frozen.rs` | parameters as constants |
//! | `notes.rs` | what is recorded for a model summary |
//! | `observe.rs`, `observations.rs` | layer outputs, captured while a model runs |

mod any_storage;
mod frozen;
mod gradient;
mod id;
mod meeting;
mod mode;
mod nodes;
mod notes;
mod observations;
mod observe;
mod record;
mod rows;
mod update;
mod walk;

pub use any_storage::AnyStorage;
pub use frozen::FrozenHere;
pub use gradient::Gradient;
pub use id::{NodeId, next_number};
pub use meeting::{Brought, Interrupted, Meeting};
pub use mode::{BackTo, Inference, Merge, Merged, Mode, NoTrace, Trace, Traced, Training, sealed};
pub use nodes::{Node, Shared, State};
pub use notes::{LayerNote, RunningLayer, layers_of, note_multiply_adds, note_parameter};
pub use observations::{Layer, Observations, Value};
pub use observe::{ObservedLayer, Observer, note_value};
pub use record::{Parents, constant, record, record_each};
pub use rows::Rows;
pub use update::Update;
pub use walk::{Found, OnParameter, walk};
