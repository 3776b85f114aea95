//! Convolution in three passes: forward, the gradient of the image, the gradient of the weight.

mod columns;
#[allow(unsafe_code)]
mod depthwise;
#[allow(unsafe_code)]
mod indirect;
#[allow(unsafe_code)]
mod planes;
mod sizes;
#[cfg(test)]
mod tests;
#[allow(unsafe_code)]
mod winograd;

use super::instructions::{Instructions, instructions};
use super::reduce::sum_f64;
use crate::kernels::store::Store;
use crate::numbers::{Family, Float, PerFloat};
use sizes::Passes;
pub use sizes::{Convolution, Start};
use std::env::VarError;
use std::sync::OnceLock;

/// The methods for one type of numbers.
struct Methods<E> {
    columns: Passes<E>,
    depthwise: Option<Passes<E>>,
    indirect: Option<Passes<E>>,
    planes: Option<Passes<E>>,
    winograd: Option<Passes<E>>,
}
struct ForNumbers;
impl Family for ForNumbers {
    type Of<E: Float> = Methods<E>;
}
// through pointers, so that convolutions are compiled once, in this crate, and not again for each model
static METHODS: PerFloat<ForNumbers> = PerFloat {
    f32: Methods {
        columns: columns::passes(),
        depthwise: Some(depthwise::passes()),
        indirect: Some(indirect::passes()),
        planes: Some(planes::passes()),
        winograd: Some(winograd::passes()),
    },
    f64: Methods { columns: columns::passes(), depthwise: None, indirect: None, planes: None, winograd: None },
};

/// Whether the methods that use registers are also compiled for the baseline instructions of the target. They are not
/// on x86-64, where every build would take a second longer for the sake of processors without AVX2; those use im2col.
/// Tests run all methods.
const PORTABLE: bool = cfg!(any(test, not(target_arch = "x86_64")));

/// How many numbers a register holds.
fn lanes(instructions: Instructions) -> usize {
    match instructions {
        Instructions::Avx512 => 16,
        Instructions::Avx2 => 8,
        Instructions::Portable => 4,
    }
}

/// A window may always reach over this many pixels, however small the image is.
const FAR: usize = 64;

/// Which pass is computed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Input,
    Weight,
}

/// The method for one pass of a convolution, chosen by measurements.
///
/// Winograd's, where it pays: for 3x3 windows of stride 1 without dilation, with enough channels and filters for the
/// saved multiplications to outweigh transforming pixels and outputs, and enough tiles to outweigh transforming the
/// weight, which is cheap only while the transformed weight fits the second-level cache. Otherwise:
///
/// - Windows that reach far beyond the image: [`columns`], which does not copy the padding between their taps.
/// - Groups of very few channels and filters (depthwise), or such images: [`depthwise`], if there are at least eight of
///   them.
/// - Gradients of few weights, summed over many outputs: [`planes`].
/// - Pointwise (1x1) windows: [`planes`], if there are many channels and filters, or planes are small; for the gradient
///   of the weight, if transposing the pixels costs little compared with the product. Otherwise [`columns`], which
///   copies nothing.
/// - The forward pass, and the gradient of the image for stride 1: [`planes`], if there are enough output channels to
///   share what is read, or few terms to sum; and if, besides, the output channels would leave much of two registers
///   unused (for a stride, of one) or, forward only, rows of outputs are long and terms few, or outputs are so few that
///   rearranging a large weight would take most of the time.
/// - The gradient of the image: [`columns`], if most of what [`indirect`] would read is padding, for outputs are much
///   fewer than pixels, or so few that rearranging a large weight would take most of the time.
/// - [`indirect`], if there are enough output channels for a register.
/// - [`columns`]: also always for f64, and on x86-64 without AVX2.
fn method<E: Float>(sizes: &Convolution, direction: Direction) -> &'static Passes<E> {
    let methods = E::pick(&METHODS);
    let Methods {
        columns,
        depthwise: Some(depthwise),
        indirect: Some(indirect),
        planes: Some(planes),
        winograd: Some(winograd),
    } = methods
    else {
        return &methods.columns;
    };
    if !PORTABLE && instructions() == Instructions::Portable {
        return columns;
    }
    let Convolution { batch, windows, filters, groups } = *sizes;
    let reach = |axis: usize| windows.dilation[axis].saturating_mul(windows.kernel[axis] - 1);
    if (0..2).any(|axis| reach(axis) > windows.size[axis].saturating_mul(2).max(FAR)) {
        return columns;
    }
    let (channels, outputs) = (windows.channels, batch * windows.positions());
    let possible = windows.kernel == [3; 2] && windows.stride == [1; 2] && windows.dilation == [1; 2];
    let tiles = batch * windows.out[0].div_ceil(4) * windows.out[1].div_ceil(4);
    let pays =
        channels * filters > 4 * (channels + filters) && tiles > if channels * filters > 1 << 14 { 32 } else { 8 };
    if possible && pays && !direct_only() {
        return winograd;
    }
    let (from, to) = if direction == Direction::Input { (filters, channels) } else { (channels, filters) };
    let terms = from * windows.kernel[0] * windows.kernel[1];
    let shared = to >= 4 || terms <= 64;
    // so few output channels leave much of two registers unused, which neighbouring pixels of stride 1 fill
    let few = to <= 20 && (windows.stride == [1; 2] || to < 8);
    let large_weight = channels * filters > 1 << 14;
    let in_planes = match direction {
        Direction::Weight if windows.is_pointwise() => filters >= channels && windows.positions() <= 1 << 10,
        _ if windows.is_pointwise() => channels * filters > 1 << 13 || windows.positions() <= 1 << 9,
        Direction::Forward => {
            shared && (few || (outputs <= 256 && large_weight) || (terms <= 256 && windows.out[1] >= 16))
        }
        Direction::Input => shared && few && windows.stride == [1; 2],
        Direction::Weight => to * terms <= 1 << 10 && outputs > 1 << 10,
    };
    let in_lanes = match direction {
        Direction::Weight => channels * filters <= 16,
        _ => to <= 4 && (from <= 4 || (from <= 16 && windows.positions() <= 1 << 9)),
    };
    let alone = in_lanes && !windows.is_pointwise() && batch * groups >= 8;
    let [pixels, strides] = [windows.size, windows.stride].map(|axes| axes[0].saturating_mul(axes[1]));
    // outputs are so few that most of what the gradients of pixels read is padding
    let mostly_padding = pixels.saturating_mul(5) > windows.positions().saturating_mul(strides).saturating_mul(9);
    let scattered =
        direction == Direction::Input && ((channels >= 24 && mostly_padding) || (outputs <= 64 && large_weight));
    let fills = !windows.is_pointwise() && if direction == Direction::Input { channels >= 24 } else { filters >= 8 };
    match () {
        () if alone => depthwise,
        () if in_planes => planes,
        () if scattered => columns,
        () if fills => indirect,
        () => columns,
    }
}

/// The environment variable that rules out Winograd's method, for comparisons: `TAUT_CONVOLUTION=direct`.
const VARIABLE: &str = "TAUT_CONVOLUTION";

/// Whether [`VARIABLE`] is set to "direct".
///
/// # Panics
/// If it is set to anything else, as ignoring it would hide a mistake.
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
