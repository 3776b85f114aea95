//! Conversion between element types.

use super::parallel;

/// `out = convert(x)`, element by element.
pub fn convert<A: Copy + Sync, B: Send>(x: &[A], out: &mut [B], convert: impl Fn(A) -> B + Sync) {
    parallel::parts(out, parallel::CHEAP, |start, out| {
        let len = out.len();
        out.iter_mut().zip(&x[start..start + len]).for_each(|(out, &x)| *out = convert(x));
    });
}
