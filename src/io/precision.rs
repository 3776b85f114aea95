//! With how many bits numbers are saved.

/// The element type of the numbers in a file, for [`Persist::save_with`](super::Persist::save_with).
///
/// Numbers are rounded to the nearest, ties to even; f64 become f32 on the way, as in PyTorch. A finite number that is
/// out of the range of the type is an error. taut computes with 32 or 64 bits, and widens what it loads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Precision {
    /// As in the model, f32 or f64: loading restores the same bits.
    #[default]
    Unchanged,
    /// 32 bits.
    F32,
    /// IEEE 754 binary16 (`torch.float16`): 11 significant bits, numbers up to 65,504.
    F16,
    /// bfloat16 (`torch.bfloat16`): 8 significant bits, and the range of f32.
    BF16,
}
