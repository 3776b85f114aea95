//! Recording computations, and walking them backwards.
//!
//! A tensor's third type parameter says whether it is recorded: [`NoTrace`] computes and records nothing;
//! [`Traced<Training>`](Traced) and [`Traced<Inference>`](Traced) come from a [`Tape`] and record every operation.
//! The mode is in the type because layers behave differently in the two: dropout is active only in training, and batch
//! norm uses the statistics of the batch there.
//!
//! ```
//! use taut::prelude::*;
//! let tape = Tape::inference();
//! let x = tape.watch(Tensor::from([1.0, 2.0, 3.0]));
//! let y = (x.clone() * x.clone()).sum();
//! let gradients = y.backward();
//! assert_eq!(gradients.of_input(&x).to_array(), [2.0, 4.0, 6.0]);
//! ```
//!
//! # How it works
//!
//! [`Tape`] is a list of nodes, one for each operation whose result depends on something that wants a gradient. A
//! node knows how to turn the gradient of its result into the gradients of its operands (`tape/record.rs`). `backward`
//! puts a 1 at the last node and walks the list from its end (`tape/walk.rs`). Nodes hold plain buffers,
//! never traced tensors, so there is no cycle and no recursion, whatever the length of the list.

mod backward;
mod custom;
mod evaluation;
mod gradients;
mod observe;
mod place;
mod tape;

pub use crate::tape::{BackTo, Inference, Merge, Merged, Mode, NoTrace, Parents, Trace, Traced, Training};
pub use backward::TracedScalar;
pub use custom::{Operands, WithoutTape, custom};
pub use evaluation::ToInference;
pub(crate) use evaluation::without_trace;
pub use gradients::Gradients;
pub use observe::Observed;
pub use place::Place;
pub use tape::Tape;
