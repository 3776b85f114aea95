//! Convolution in three passes: forward, the gradient of the image, the gradient of the weight.

mod columns;
#[allow(unsafe_code)]
mod indirect;
mod sizes;
#[cfg(test)]
mod tests;
#[allow(unsafe_code)]
mod winograd;

use super::reduce::sum_f64;
use crate::kernels::store::Store;
use crate::numbers::{Family, Float, PerFloat};
use sizes::Passes;
pub use sizes::{Convolution, Start};
use std::env::VarError;
use std::sync::OnceLock;

/// The methods that there are for numbers of a type.
struct Methods<E> {
    columns: Passes<E>,
    indirect: Option<Passes<E>>,
    winograd: Option<Passes<E>>,
}
struct ForNumbers;
impl Family for ForNumbers {
    type Of<E: Float> = Methods<E>;
}
// through pointers, so that convolutions are compiled in this crate, and not again for each model
static METHODS: PerFloat<ForNumbers> = PerFloat {
    f32: Methods { columns: columns::passes(), indirect: Some(indirect::passes()), winograd: Some(winograd::passes()) },
    f64: Methods { columns: columns::passes(), indirect: None, winograd: None },
};

/// What is computed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Input,
    Weight,
}

/// The method for one pass of a convolution.
///
/// Winograd's where it pays: for windows of 3x3 that move by 1, undilated, if there are enough channels and filters for
/// the multiplications it saves to outweigh the transforms of pixels and outputs, and enough tiles to outweigh those of
/// the weight. Otherwise the product that reads the pixels where they are, if it makes enough of two registers of
/// channels at once. Otherwise im2col; always for f64.
fn method<E: Float>(sizes: &Convolution, direction: Direction) -> &'static Passes<E> {
    let methods = E::pick(&METHODS);
    let Convolution { batch, windows, filters, .. } = *sizes;
    let channels = windows.channels;
    let possible = windows.kernel == [3; 2] && windows.stride == [1; 2] && windows.dilation == [1; 2];
    let pays = channels * filters > 4 * (channels + filters) && batch * windows.positions() > 128;
    let fills = match direction {
        Direction::Forward | Direction::Weight => filters >= 12,
        Direction::Input => channels >= 24,
    };
    match (&methods.winograd, &methods.indirect) {
        (Some(winograd), _) if possible && pays && !direct_only() => winograd,
        (_, Some(indirect)) if fills => indirect,
        _ => &methods.columns,
    }
}

/// The environment variable that forbids other methods than direct sums of products: `TAUT_CONVOLUTION=direct`, for
/// comparisons.
const VARIABLE: &str = "TAUT_CONVOLUTION";

/// Whether [`VARIABLE`] says so.
///
/// # Panics
/// If it says something else: to go on would hide it.
fn direct_only() -> bool {
    static DIRECT: OnceLock<bool> = OnceLock::new();
    *DIRECT.get_or_init(|| match std::env::var(VARIABLE).as_deref() {
        Err(VarError::NotPresent) | Ok("") => false,
        Ok("direct") => true,
        other => panic!("{VARIABLE} is \"direct\" or not set, not {other:?}"),
    })
}

/// `y = weight * x`, added to `start`.
pub fn forward<E: Float>(sizes: Convolution, x: &[E], weight: &[E], start: Start<'_, E>, y: &mut [E]) {
    assert_eq!((x.len(), y.len()), (sizes.batch * sizes.input(), sizes.batch * sizes.output()));
    assert_eq!(weight.len(), sizes.weight());
    if y.is_empty() || sizes.operations() == 0 {
        return start.write(y, sizes.windows.positions());
    }
    (method(&sizes, Direction::Forward).forward)(&sizes, x, weight, start, y);
}

/// The gradient of the input: the transposed convolution of g with the weight, added to `start`.
pub fn backward_input<E: Float>(sizes: Convolution, g: &[E], weight: &[E], start: Start<'_, E>, dx: &mut [E]) {
    assert_eq!((dx.len(), g.len()), (sizes.batch * sizes.input(), sizes.batch * sizes.output()));
    assert_eq!(weight.len(), sizes.weight());
    if dx.is_empty() || sizes.operations() == 0 {
        return start.write(dx, sizes.windows.size[0] * sizes.windows.size[1]);
    }
    (method(&sizes, Direction::Input).backward_input)(&sizes, g, weight, start, dx);
}

/// The gradient of the weight: the sum over the images of g X^T.
pub fn backward_weight<E: Float>(sizes: Convolution, x: &[E], g: &[E], dw: &mut [E], store: Store) {
    assert_eq!((x.len(), g.len()), (sizes.batch * sizes.input(), sizes.batch * sizes.output()));
    assert_eq!(dw.len(), sizes.weight());
    if dw.is_empty() || sizes.operations() == 0 {
        store.clear(dw);
        return;
    }
    (method(&sizes, Direction::Weight).backward_weight)(&sizes, x, g, dw, store);
}

/// Sums over batch and positions of (batch, channels, positions): the gradient of a bias.
pub fn sum_channels<E: Float>(x: &[E], channels: usize, positions: usize, out: &mut [E], store: Store) {
    let mut sums = vec![0.0; channels];
    if channels * positions > 0 {
        for image in x.chunks_exact(channels * positions) {
            sums.iter_mut().zip(image.chunks_exact(positions)).for_each(|(sum, x)| *sum += sum_f64(x));
        }
    }
    out.iter_mut().zip(sums).for_each(|(out, sum)| *out = E::of(if store.adds() { out.as_f64() + sum } else { sum }));
}
