//! Convolution layers over images.

use super::optional_bias::default_parameters;
use super::weighted::{Weighted, WithWeight};
use super::{Init, Module, NoBias, OptionalBias};
use crate::kernels::convolution::Convolution;
use crate::ops::{Window2d, convolution};
use crate::params::{Param, Parameters};
use crate::shape::{Accepted, Channels, Const, Dim, ImageAxes, InGroups, Odd, Rank1, Rank4, Window, expect_size, show};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
use rand::Rng;

/// The size of an axis after a window.
pub(super) type Out<Axis, const K: usize, const S: usize, const P: usize, const D: usize = 1> =
    <Axis as Window<K, S, P, D>>::Out;

/// The sizes of a convolution of this layer, from `expected` channels to `filters`.
#[track_caller]
pub(super) fn sizes(
    layer: &str,
    window: Window2d,
    (batch, channels, height, width): (impl Dim, impl Dim, impl Dim, impl Dim),
    [expected, filters]: [usize; 2],
    groups: usize,
) -> Convolution {
    expect_size(layer, "channels", expected, channels);
    let windows = window.over(channels.size() / groups, [height.size(), width.size()]);
    let windows = windows.expect("the layer's output size says that the window fits");
    Convolution { batch: batch.size(), windows, filters: filters / groups, groups }
}

/// Convolution with `O` filters of `I` x `K` x `K`, moved by `S`, over images with `P` zeros around them; neighbouring
/// cells of a filter are `D` apart.
///
/// y_{n,o,i,j} = b_o + sum_{c,u,v} W_{o,c,u,v} x_{n, c, i S + u D - P, j S + v D - P}
///
/// | | shape |
/// | --- | --- |
/// | x | (N, I, H, W) |
/// | `weight` W | (O, I, K, K) |
/// | `bias` b | (O), or none: [`Conv2dNoBias`] |
/// | y | (N, O, (H + 2 P - D (K - 1) - 1) / S + 1, the same for W) |
///
/// The output sizes are computed by the compiler; a window that does not fit does not compile. `init` draws both from
/// the uniform distribution over -1/sqrt(I K K) .. 1/sqrt(I K K), as PyTorch does.
///
/// ```
/// use taut::prelude::*;
/// let layer = Conv2d::<1, 6, 5, 1, 2>::init(&mut StdRng::seed_from_u64(0));
/// let y: Tensor<Rank4<32, 6, 28, 28>> = layer.forward(Tensor::<Rank4<32, 1, 28, 28>>::ones());
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct Conv2d<
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize = 1,
    const P: usize = 0,
    const D: usize = 1,
    E: Float = f32,
    B = Param<Rank1<O>, E>,
> {
    /// (O, I, K, K)
    pub weight: Param<Rank4<O, I, K, K>, E>,
    /// (O)
    pub bias: B,
}

/// [`Conv2d`] without a bias: for use before a batch norm, which has its own.
pub type Conv2dNoBias<
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize = 1,
    const P: usize = 0,
    const D: usize = 1,
    E = f32,
> = Conv2d<I, O, K, S, P, D, E, NoBias>;

impl<
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const D: usize,
    E: Float,
    B: OptionalBias<O, E>,
> Init for Conv2d<I, O, K, S, P, D, E, B>
{
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let (weight, bias) = default_parameters(Default::default(), I * K * K, rng);
        Conv2d { weight, bias }
    }
}

impl<
    X: ImageAxes,
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const D: usize,
    E: Float,
    B: OptionalBias<O, E>,
    T: Trace,
> Module<Tensor<X, E, T>> for Conv2d<I, O, K, S, P, D, E, B>
where
    X::C: Channels<I>,
    X::H: Window<K, S, P, D>,
    X::W: Window<K, S, P, D>,
{
    type Output =
        Tensor<<X::C as Accepted<I>>::Then<(X::N, Const<O>, Out<X::H, K, S, P, D>, Out<X::W, K, S, P, D>)>, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let weight = self.weight.on(&x);
        self.run_with(x, weight).map_shape(X::C::then)
    }
}

impl<
    X: ImageAxes,
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const D: usize,
    E: Float,
    B: OptionalBias<O, E>,
    T: Trace,
> WithWeight<X, E, T> for Conv2d<I, O, K, S, P, D, E, B>
where
    X::C: Channels<I>,
    X::H: Window<K, S, P, D>,
    X::W: Window<K, S, P, D>,
{
    type Output = Tensor<(X::N, Const<O>, Out<X::H, K, S, P, D>, Out<X::W, K, S, P, D>), E, T>;
    fn run_with(&self, x: Tensor<X, E, T>, weight: Tensor<Rank4<O, I, K, K>, E, T>) -> Self::Output {
        let (batch, _, height, width) = x.shape().axes();
        let shape = (batch, Const::<O>, height.windows(), width.windows());
        let window = Window2d { kernel: [K; 2], stride: [S; 2], padding: [P; 2], dilation: [D; 2] };
        let sizes = sizes("Conv2d", window, x.shape().axes(), [I, O], 1);
        let bias = self.bias.on(&x);
        convolution(x, weight, bias, shape, sizes)
    }
}

impl<
    const I: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const D: usize,
    E: Float,
    B: OptionalBias<O, E>,
> Weighted for Conv2d<I, O, K, S, P, D, E, B>
{
    type Element = E;
    type Weight = Rank4<O, I, K, K>;
    fn weight(&self) -> &Param<Self::Weight, E> {
        &self.weight
    }
}

/// Convolution that keeps the size of the image: stride 1, and (K - 1) / 2 zeros around it; `K` is odd.
///
/// Since no size changes, it takes images of every size, even those too large for the compiler's table.
///
/// ```
/// use taut::prelude::*;
/// let layer = SameConv2d::<3, 8, 3>::init(&mut StdRng::seed_from_u64(0));
/// let y: Tensor<Rank4<1, 8, 3000, 2>> = layer.forward(Tensor::<Rank4<1, 3, 3000, 2>>::ones());
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct SameConv2d<const I: usize, const O: usize, const K: usize, E: Float = f32, B = Param<Rank1<O>, E>> {
    /// (O, I, K, K)
    pub weight: Param<Rank4<O, I, K, K>, E>,
    /// (O)
    pub bias: B,
}

impl<const I: usize, const O: usize, const K: usize, E: Float, B: OptionalBias<O, E>> Init
    for SameConv2d<I, O, K, E, B>
{
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let (weight, bias) = default_parameters(Default::default(), I * K * K, rng);
        SameConv2d { weight, bias }
    }
}

impl<X: ImageAxes, const I: usize, const O: usize, const K: usize, E: Float, B: OptionalBias<O, E>, T: Trace>
    Module<Tensor<X, E, T>> for SameConv2d<I, O, K, E, B>
where
    X::C: Channels<I>,
    Const<K>: Odd,
{
    type Output = Tensor<<X::C as Accepted<I>>::Then<(X::N, Const<O>, X::H, X::W)>, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let weight = self.weight.on(&x);
        self.run_with(x, weight).map_shape(X::C::then)
    }
}

impl<X: ImageAxes, const I: usize, const O: usize, const K: usize, E: Float, B: OptionalBias<O, E>, T: Trace>
    WithWeight<X, E, T> for SameConv2d<I, O, K, E, B>
where
    X::C: Channels<I>,
    Const<K>: Odd,
{
    type Output = Tensor<(X::N, Const<O>, X::H, X::W), E, T>;
    fn run_with(&self, x: Tensor<X, E, T>, weight: Tensor<Rank4<O, I, K, K>, E, T>) -> Self::Output {
        let (batch, _, height, width) = x.shape().axes();
        if height.size() == 0 || width.size() == 0 {
            panic!("SameConv2d: images of shape {} have no pixel to convolve", show(x.shape()));
        }
        let window = Window2d { padding: [K / 2; 2], ..Window2d::square(K) };
        let sizes = sizes("SameConv2d", window, x.shape().axes(), [I, O], 1);
        let bias = self.bias.on(&x);
        convolution(x, weight, bias, (batch, Const::<O>, height, width), sizes)
    }
}

impl<const I: usize, const O: usize, const K: usize, E: Float, B: OptionalBias<O, E>> Weighted
    for SameConv2d<I, O, K, E, B>
{
    type Element = E;
    type Weight = Rank4<O, I, K, K>;
    fn weight(&self) -> &Param<Self::Weight, E> {
        &self.weight
    }
}

/// Convolution in `G` groups: each maps `I / G` channels to `O / G`. With `G = I` it is depthwise.
///
/// | | shape |
/// | --- | --- |
/// | x | (N, I, H, W) |
/// | `weight` | (O, I / G, K, K) |
/// | `bias` | (O), or [`NoBias`] |
/// | y | as [`Conv2d`] |
///
/// `init` draws from the uniform distribution over ± 1/sqrt(I/G K K), as PyTorch does. Krizhevsky et al., "ImageNet
/// Classification with Deep Convolutional Neural Networks", 2012; depthwise: Chollet, "Xception", 2017.
///
/// ```
/// use taut::prelude::*;
/// let depthwise = GroupedConv2d::<32, 32, 32, 3, 1, 1>::init(&mut StdRng::seed_from_u64(0));
/// let y: Tensor<Rank4<2, 32, 8, 8>> = depthwise.forward(Tensor::<Rank4<2, 32, 8, 8>>::ones());
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct GroupedConv2d<
    const I: usize,
    const O: usize,
    const G: usize,
    const K: usize,
    const S: usize = 1,
    const P: usize = 0,
    const D: usize = 1,
    E: Float = f32,
    B = Param<Rank1<O>, E>,
> where
    Const<I>: InGroups<G>,
    Const<O>: InGroups<G>,
{
    /// (O, I / G, K, K)
    pub weight: Param<GroupedWeight<I, O, G, K>, E>,
    /// (O)
    pub bias: B,
}

/// The shape of the weight of a [`GroupedConv2d`].
pub type GroupedWeight<const I: usize, const O: usize, const G: usize, const K: usize> =
    (Const<O>, <Const<I> as InGroups<G>>::Channels, Const<K>, Const<K>);

impl<
    const I: usize,
    const O: usize,
    const G: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const D: usize,
    E: Float,
    B: OptionalBias<O, E>,
> Init for GroupedConv2d<I, O, G, K, S, P, D, E, B>
where
    Const<I>: InGroups<G>,
    Const<O>: InGroups<G>,
{
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let shape = (Const, Const::<I>.of_group(), Const, Const);
        let (weight, bias) = default_parameters(shape, I / G * K * K, rng);
        GroupedConv2d { weight, bias }
    }
}

impl<
    X: ImageAxes,
    const I: usize,
    const O: usize,
    const G: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const D: usize,
    E: Float,
    B: OptionalBias<O, E>,
    T: Trace,
> Module<Tensor<X, E, T>> for GroupedConv2d<I, O, G, K, S, P, D, E, B>
where
    X::C: Channels<I>,
    X::H: Window<K, S, P, D>,
    X::W: Window<K, S, P, D>,
    Const<I>: InGroups<G>,
    Const<O>: InGroups<G>,
{
    type Output =
        Tensor<<X::C as Accepted<I>>::Then<(X::N, Const<O>, Out<X::H, K, S, P, D>, Out<X::W, K, S, P, D>)>, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let weight = self.weight.on(&x);
        self.run_with(x, weight).map_shape(X::C::then)
    }
}

impl<
    X: ImageAxes,
    const I: usize,
    const O: usize,
    const G: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const D: usize,
    E: Float,
    B: OptionalBias<O, E>,
    T: Trace,
> WithWeight<X, E, T> for GroupedConv2d<I, O, G, K, S, P, D, E, B>
where
    X::C: Channels<I>,
    X::H: Window<K, S, P, D>,
    X::W: Window<K, S, P, D>,
    Const<I>: InGroups<G>,
    Const<O>: InGroups<G>,
{
    type Output = Tensor<(X::N, Const<O>, Out<X::H, K, S, P, D>, Out<X::W, K, S, P, D>), E, T>;
    fn run_with(&self, x: Tensor<X, E, T>, weight: Tensor<GroupedWeight<I, O, G, K>, E, T>) -> Self::Output {
        let (batch, _, height, width) = x.shape().axes();
        let shape = (batch, Const::<O>, height.windows(), width.windows());
        let window = Window2d { kernel: [K; 2], stride: [S; 2], padding: [P; 2], dilation: [D; 2] };
        let sizes = sizes("GroupedConv2d", window, x.shape().axes(), [I, O], G);
        let bias = self.bias.on(&x);
        convolution(x, weight, bias, shape, sizes)
    }
}

impl<
    const I: usize,
    const O: usize,
    const G: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    const D: usize,
    E: Float,
    B: OptionalBias<O, E>,
> Weighted for GroupedConv2d<I, O, G, K, S, P, D, E, B>
where
    Const<I>: InGroups<G>,
    Const<O>: InGroups<G>,
{
    type Element = E;
    type Weight = GroupedWeight<I, O, G, K>;
    fn weight(&self) -> &Param<Self::Weight, E> {
        &self.weight
    }
}

/// Convolution with a rectangular window of `KH` x `KW`, moved by (`SH`, `SW`), with (`PH`, `PW`) zeros around, its
/// cells (`DH`, `DW`) apart.
///
/// Otherwise like [`Conv2d`]; `weight` is (O, I, KH, KW).
///
/// ```
/// use taut::prelude::*;
/// let layer = RectangularConv2d::<3, 8, 1, 7, 1, 2, 0, 3>::init(&mut StdRng::seed_from_u64(0));
/// let y: Tensor<Rank4<1, 8, 10, 10>> = layer.forward(Tensor::<Rank4<1, 3, 10, 20>>::ones());
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct RectangularConv2d<
    const I: usize,
    const O: usize,
    const KH: usize,
    const KW: usize,
    const SH: usize = 1,
    const SW: usize = 1,
    const PH: usize = 0,
    const PW: usize = 0,
    const DH: usize = 1,
    const DW: usize = 1,
    E: Float = f32,
    B = Param<Rank1<O>, E>,
> {
    /// (O, I, KH, KW)
    pub weight: Param<Rank4<O, I, KH, KW>, E>,
    /// (O)
    pub bias: B,
}

impl<
    const I: usize,
    const O: usize,
    const KH: usize,
    const KW: usize,
    const SH: usize,
    const SW: usize,
    const PH: usize,
    const PW: usize,
    const DH: usize,
    const DW: usize,
    E: Float,
    B: OptionalBias<O, E>,
> Init for RectangularConv2d<I, O, KH, KW, SH, SW, PH, PW, DH, DW, E, B>
{
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let (weight, bias) = default_parameters(Default::default(), I * KH * KW, rng);
        RectangularConv2d { weight, bias }
    }
}

impl<
    X: ImageAxes,
    const I: usize,
    const O: usize,
    const KH: usize,
    const KW: usize,
    const SH: usize,
    const SW: usize,
    const PH: usize,
    const PW: usize,
    const DH: usize,
    const DW: usize,
    E: Float,
    B: OptionalBias<O, E>,
    T: Trace,
> Module<Tensor<X, E, T>> for RectangularConv2d<I, O, KH, KW, SH, SW, PH, PW, DH, DW, E, B>
where
    X::C: Channels<I>,
    X::H: Window<KH, SH, PH, DH>,
    X::W: Window<KW, SW, PW, DW>,
{
    type Output = Tensor<
        <X::C as Accepted<I>>::Then<(X::N, Const<O>, Out<X::H, KH, SH, PH, DH>, Out<X::W, KW, SW, PW, DW>)>,
        E,
        T,
    >;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let weight = self.weight.on(&x);
        self.run_with(x, weight).map_shape(X::C::then)
    }
}

impl<
    X: ImageAxes,
    const I: usize,
    const O: usize,
    const KH: usize,
    const KW: usize,
    const SH: usize,
    const SW: usize,
    const PH: usize,
    const PW: usize,
    const DH: usize,
    const DW: usize,
    E: Float,
    B: OptionalBias<O, E>,
    T: Trace,
> WithWeight<X, E, T> for RectangularConv2d<I, O, KH, KW, SH, SW, PH, PW, DH, DW, E, B>
where
    X::C: Channels<I>,
    X::H: Window<KH, SH, PH, DH>,
    X::W: Window<KW, SW, PW, DW>,
{
    type Output = Tensor<(X::N, Const<O>, Out<X::H, KH, SH, PH, DH>, Out<X::W, KW, SW, PW, DW>), E, T>;
    fn run_with(&self, x: Tensor<X, E, T>, weight: Tensor<Rank4<O, I, KH, KW>, E, T>) -> Self::Output {
        let (batch, _, height, width) = x.shape().axes();
        let shape = (batch, Const::<O>, height.windows(), width.windows());
        let window = Window2d { kernel: [KH, KW], stride: [SH, SW], padding: [PH, PW], dilation: [DH, DW] };
        let sizes = sizes("RectangularConv2d", window, x.shape().axes(), [I, O], 1);
        let bias = self.bias.on(&x);
        convolution(x, weight, bias, shape, sizes)
    }
}

impl<
    const I: usize,
    const O: usize,
    const KH: usize,
    const KW: usize,
    const SH: usize,
    const SW: usize,
    const PH: usize,
    const PW: usize,
    const DH: usize,
    const DW: usize,
    E: Float,
    B: OptionalBias<O, E>,
> Weighted for RectangularConv2d<I, O, KH, KW, SH, SW, PH, PW, DH, DW, E, B>
{
    type Element = E;
    type Weight = Rank4<O, I, KH, KW>;
    fn weight(&self) -> &Param<Self::Weight, E> {
        &self.weight
    }
}

#[cfg(test)]
mod tests {
    use crate::nn::NoBias;
    use crate::prelude::*;

    /// Finite differences over x, weight and bias, and the same values at run-time sizes.
    macro_rules! check {
        ($layer:ty, $x:ty) => {{
            let mut rng = StdRng::seed_from_u64(3);
            let layer = <$layer>::init(&mut rng);
            let x = Tensor::<$x, f64>::randn(&mut rng);
            check_gradients(|x| layer.forward(x), x.clone()).unwrap();
            check_parameter_gradients(&layer, |layer, tape| layer.forward(tape.trace(x.clone()))).unwrap();
            let (batch, channels, height, width) = x.shape();
            let sizes = (batch.size(), channels, height.size(), width.size());
            let run_time = layer.forward(Tensor::from_vec(x.to_vec(), sizes).unwrap());
            assert_eq!(run_time.as_slice(), layer.forward(x).as_slice());
        }};
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        check!(Conv2d<1, 2, 3, 1, 0, 1, f64>, Rank4<2, 1, 4, 5>);
        check!(Conv2d<2, 3, 3, 2, 1, 1, f64>, Rank4<2, 2, 5, 4>);
        check!(Conv2d<2, 2, 2, 1, 2, 2, f64, NoBias>, Rank4<1, 2, 3, 3>);
        check!(Conv2d<3, 2, 1, 1, 0, 1, f64>, Rank4<2, 3, 3, 2>);
        check!(SameConv2d<2, 3, 3, f64>, Rank4<2, 2, 3, 4>);
        check!(GroupedConv2d<4, 6, 2, 3, 1, 1, 1, f64>, Rank4<2, 4, 3, 3>);
        check!(GroupedConv2d<3, 3, 3, 2, 2, 1, 1, f64>, Rank4<2, 3, 4, 4>);
        check!(RectangularConv2d<2, 2, 1, 3, 1, 2, 0, 1, 1, 1, f64>, Rank4<2, 2, 3, 5>);
        check!(RectangularConv2d<1, 2, 2, 2, 2, 1, 1, 0, 1, 2, f64>, Rank4<2, 1, 3, 4>);
    }

    /// Values and gradients in f32, by Winograd's method, are those in f64, which are direct sums.
    #[test]
    fn layers_of_f32_agree_with_f64() {
        let mut rng = StdRng::seed_from_u64(7);
        let exact = GroupedConv2d::<24, 40, 2, 3, 1, 1, 1, f64>::init(&mut rng);
        let x = Tensor::<Rank4<5, 24, 9, 7>, f64>::randn(&mut rng);
        let g = Tensor::<Rank4<5, 40, 9, 7>, f64>::randn(&mut rng);
        let layer = GroupedConv2d::<24, 40, 2, 3, 1, 1, 1, f32> {
            weight: exact.weight.value().clone().cast::<f32>().into(),
            bias: exact.bias.value().clone().cast::<f32>().into(),
        };
        let close = |found: Vec<f32>, exact: &[f64]| {
            let most = exact.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
            let close = |(found, exact): (&f32, &f64)| (f64::from(*found) - exact).abs() < 1e-5 * most;
            assert!(found.len() == exact.len() && found.iter().zip(exact).all(close));
        };
        let (tape, exact_tape) = (Tape::training(&mut rng), Tape::training(&mut StdRng::seed_from_u64(0)));
        let (input, exact_input) = (tape.watch(x.clone().cast::<f32>()), exact_tape.watch(x));
        let (y, exact_y) = (layer.forward(input.clone()), exact.forward(exact_input.clone()));
        close(y.to_vec(), exact_y.as_slice());
        let (found, expected) = (y.vector_jacobian(g.clone().cast::<f32>()), exact_y.vector_jacobian(g));
        close(found.of_input(&input).to_vec(), expected.of_input(&exact_input).as_slice());
        close(found.of(&layer.weight).to_vec(), expected.of(&exact.weight).as_slice());
        close(found.of(&layer.bias).to_vec(), expected.of(&exact.bias).as_slice());
    }

    #[test]
    fn groups_are_separate_convolutions() {
        let mut rng = StdRng::seed_from_u64(4);
        let both = GroupedConv2d::<2, 2, 2, 3, 1, 1>::init(&mut rng);
        let x = Tensor::<Rank4<1, 2, 5, 5>>::randn(&mut rng);
        let y = both.forward(x.clone());
        for group in 0..2 {
            let weight = both.weight.value().as_slice()[group * 9..][..9].to_vec();
            let one = Conv2d::<1, 1, 3, 1, 1> {
                weight: Tensor::from_vec(weight, Default::default()).unwrap().into(),
                bias: Tensor::from([both.bias.value()[[group]]]).into(),
            };
            let part = x.as_slice()[group * 25..][..25].to_vec();
            let part = one.forward(Tensor::<Rank4<1, 1, 5, 5>>::from_vec(part, Default::default()).unwrap());
            assert_eq!(part.as_slice(), &y.as_slice()[group * 25..][..25]);
        }
    }

    #[test]
    fn convolution_is_im2col_and_a_product() {
        let mut rng = StdRng::seed_from_u64(5);
        let layer = Conv2d::<2, 3, 3, 2, 1, 1, f64, NoBias>::init(&mut rng);
        let x = Tensor::<Rank4<2, 2, 5, 5>, f64>::randn(&mut rng);
        let rows: Tensor<Rank2<18, 18>, f64> = x.clone().im2col::<3, 2, 1>();
        let y = layer.forward(x);
        let weight = layer.weight.value();
        for image in 0..2 {
            for filter in 0..3 {
                for position in 0..9 {
                    let row = &rows.as_slice()[(image * 9 + position) * 18..][..18];
                    let filter_row = &weight.as_slice()[filter * 18..][..18];
                    let expected: f64 = row.iter().zip(filter_row).map(|(a, b)| a * b).sum();
                    let found = y.as_slice()[(image * 3 + filter) * 9 + position];
                    assert!((expected - found).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn im2col_and_col2im_are_each_others_gradients() {
        let mut rng = StdRng::seed_from_u64(6);
        let x = Tensor::<Rank4<2, 2, 4, 3>, f64>::randn(&mut rng);
        check_gradients(|x| x.im2col::<2, 1, 1>(), x.clone()).unwrap();
        let rows = x.im2col::<2, 2, 1>();
        check_gradients(|x| x.col2im::<2, 2, 1, _>(Rank4::<2, 2, 4, 3>::default()), rows).unwrap();
    }

    #[test]
    #[should_panic(expected = "a window of kernel 3, stride 1, padding 0 (dilation 1) does not fit dimension 2")]
    fn a_window_that_does_not_fit_a_run_time_size_panics() {
        let layer = Conv2d::<1, 1, 3>::init(&mut StdRng::seed_from_u64(0));
        let _ = layer.forward(Tensor::zeros_with((1_usize, Const::<1>, 2_usize, 5_usize)));
    }

    #[test]
    #[should_panic(expected = "Conv2d: expected 3 channels, found 1")]
    fn other_channels_panic_at_run_time() {
        let layer = Conv2d::<3, 1, 3>::init(&mut StdRng::seed_from_u64(0));
        let _ = layer.forward(Tensor::zeros_with((1_usize, 1_usize, 5_usize, 5_usize)));
    }
}
