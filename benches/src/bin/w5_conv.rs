//! W5: single convolutions without bias: forward alone, and forward with both gradients for a fixed gradient of the
//! output.

use taut::prelude::*;
use taut::shape::AtLeastOne;
use taut_benches::{Work, measure, report, wanted};

/// One convolution of `N` images of `I` channels, `H` x `H`, with `O` filters of `K` x `K`.
fn convolution<
    const N: usize,
    const I: usize,
    const H: usize,
    const O: usize,
    const K: usize,
    const STRIDE: usize,
    const PADDING: usize,
>()
where
    Const<K>: AtLeastOne,
    Const<STRIDE>: AtLeastOne,
{
    type Layer<const I: usize, const O: usize, const K: usize, const S: usize, const P: usize> =
        Conv2dNoBias<I, O, K, S, P>;
    let size = (H + 2 * PADDING - K) / STRIDE + 1;
    let name = format!("{N}x{I}x{H}x{H}_k{O}_{K}x{K}s{STRIDE}p{PADDING}");
    let flops = 2.0 * (N * size * size * O * I * K * K) as f64;
    let (forward, both) = (format!("w5_conv_fwd_{name}"), format!("w5_conv_fwdbwd_{name}"));
    if !wanted(&forward) && !wanted(&both) {
        return;
    }
    let mut rng = StdRng::seed_from_u64(0);
    let layer = Layer::<I, O, K, STRIDE, PADDING>::init(&mut rng);
    // the sizes of the image as run-time dimensions, so that one function serves all of them
    let x = Tensor::<(usize, Const<I>, usize, usize)>::normal_with((N, Const, H, H), 0.0, 1.0, &mut rng);
    let g = Tensor::<(usize, Const<O>, usize, usize)>::normal_with((N, Const, size, size), 0.0, 1.0, &mut rng);
    let work = |flops| Work { samples: Some(N as f64), flops: Some(flops), ..Default::default() };
    let figures = measure(1.0, || {
        let _ = std::hint::black_box(layer.forward(x.clone()));
    });
    report(&forward, &figures, work(flops));
    let figures = measure(1.0, || {
        let tape = Tape::training(&mut rng);
        let input = tape.watch(x.clone());
        let gradients = layer.forward(input.clone()).vector_jacobian(g.clone());
        let _ = std::hint::black_box((gradients.of_input(&input), gradients.of(&layer.weight)));
    });
    report(&both, &figures, work(3.0 * flops));
}

fn main() {
    convolution::<32, 64, 56, 64, 3, 1, 1>();
    convolution::<32, 3, 224, 64, 7, 2, 3>();
    convolution::<32, 128, 28, 128, 3, 1, 1>();
    convolution::<32, 256, 14, 256, 3, 1, 1>();
    convolution::<64, 1, 28, 32, 5, 1, 2>();
    convolution::<32, 256, 14, 1024, 1, 1, 0>();
}
