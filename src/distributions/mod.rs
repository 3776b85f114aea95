//! Probability distributions whose parameters are computed by a network, for sampling and for training.
//!
//! A batch of `B` distributions has parameters of the shape (B, N): scores of N classes, or means of N numbers. Log-
//! probabilities and entropies have the shape (B,) and pass gradients on to the parameters. Drawing is not recorded.
//!
//! ```
//! use taut::distributions::Categorical;
//! use taut::prelude::*;
//!
//! let mut rng = StdRng::seed_from_u64(0);
//! let scores = Linear::<4, 3>::init(&mut rng);
//! let x = Tensor::<Rank2<8, 4>>::randn(&mut rng);
//! let classes = Categorical::new(scores.forward(x.clone())).sample(&mut rng);
//!
//! // the gradient of REINFORCE: makes the sampled classes more likely
//! let tape = Tape::training(&mut rng);
//! let policy = Categorical::new(scores.forward(tape.trace(x)));
//! let gradients = (-policy.log_probability(&classes).mean()).backward();
//! # let _ = gradients;
//! ```

mod categorical;
mod gaussian;

pub use categorical::Categorical;
pub use gaussian::Gaussian;
