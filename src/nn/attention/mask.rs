//! Attention masks.

/// What an attention layer hides from the steps of a sequence: [`NoMask`] or [`CausalMask`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a mask of attention",
    note = "a mask is `NoMask` or `CausalMask`"
)]
pub trait AttentionMask {
    /// Whether a step sees only the steps up to itself.
    const CAUSAL: bool;
}

/// Every step sees all steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoMask;
impl AttentionMask for NoMask {
    const CAUSAL: bool = false;
}

/// Step i sees only the steps 0 ..= i, so that a model learns to predict what follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CausalMask;
impl AttentionMask for CausalMask {
    const CAUSAL: bool = true;
}
