//! Multi-head attention and transformer layers.

mod encoder;
mod mask;
mod positions;

pub use encoder::{NormOrder, PostNorm, PreNorm, TransformerEncoder, TransformerEncoderLayer};
pub use mask::{AttentionMask, CausalMask, NoMask};
pub use positions::{LearnedPositionalEncoding, PositionalEncoding, StepsWithin};

use super::{Forward, Init, Linear, Module, Percent};
use crate::ops::{Masking, clear_padding, cross_attention, lengths, linear_parts, self_attention};
use crate::params::{Param, ParameterPath, Parameters, Visitor, VisitorMut};
use crate::shape::{Const, Dim, Features, Heads, Rank2, Rank3, SequenceAxes, expect_size};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;
use rand::Rng;
use std::marker::PhantomData;
use std::sync::Arc;

const NAME: &str = "MultiHeadAttention";

/// Attention with `HEADS` heads of `WIDTH / HEADS` features: every step of a sequence gathers information from the
/// other steps, or from those of another sequence.
///
/// Q = X W_q^T + b_q, K = Z W_k^T + b_k, V = Z W_v^T + b_v, each split into heads;
///
/// Y = concat_h(softmax(Q_h K_h^T / sqrt(d)) V_h) W_o^T + b_o, with d = `WIDTH / HEADS`, and Z the memory, or X itself.
///
/// | input | output |
/// | --- | --- |
/// | `x`, (B, L, `WIDTH`) | the same shape: self-attention |
/// | `(x, lengths)`, lengths (B) | the same shape |
/// | `(x, memory)`, memory (B, S, `WIDTH`) | the shape of x: cross-attention |
/// | `(x, memory, lengths)`, the lengths those of the memory | the shape of x |
///
/// `lengths` is the number of steps in each sequence: the rest is padding, which is never attended to and gets no
/// gradient, whatever it holds; in self-attention the output there is 0.
///
/// `DROPOUT` is the percentage of attention weights dropped in training. `M` is [`NoMask`] or [`CausalMask`]: step i
/// sees only the steps up to i.
///
/// | | shape in files | |
/// | --- | --- | --- |
/// | `in_proj_weight` W_q, W_k, W_v | (3 `WIDTH`, `WIDTH`) | Xavier's uniform distribution |
/// | `in_proj_bias` | (3 `WIDTH`) | 0 |
/// | `out_proj.weight` W_o | (`WIDTH`, `WIDTH`) | as [`Linear`] |
/// | `out_proj.bias` | (`WIDTH`) | 0 |
///
/// Names, shapes and initial values are those of PyTorch's `MultiheadAttention` (with `batch_first=True`). Batch and
/// steps may be known to the compiler or only at run time.
///
/// Vaswani et al., "Attention Is All You Need", 2017.
///
/// ```
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let layer = MultiHeadAttention::<16, 4>::init(&mut rng);
/// let x = Tensor::<Rank3<2, 10, 16>>::randn(&mut rng);
/// let y: Tensor<Rank3<2, 10, 16>> = layer.forward(x.clone());
///
/// // the second sequence has seven steps
/// let y = layer.forward((x.clone(), Tensor::from([10, 7])));
/// assert_eq!(y.slice(1).slice(8), Tensor::zeros());
///
/// // to other sequences
/// let memory = Tensor::<Rank3<2, 5, 16>>::randn(&mut rng);
/// let y: Tensor<Rank3<2, 10, 16>> = layer.forward((x, memory));
/// ```
#[derive(Clone, Debug)]
pub struct MultiHeadAttention<
    const WIDTH: usize,
    const HEADS: usize,
    const DROPOUT: usize = 0,
    M = NoMask,
    E: Float = f32,
> {
    /// W_q, W_k and W_v, (3, `WIDTH`, `WIDTH`); in files (3 `WIDTH`, `WIDTH`)
    pub in_proj_weight: Param<Rank3<3, WIDTH, WIDTH>, E>,
    /// b_q, b_k and b_v, (3, `WIDTH`); in files (3 `WIDTH`)
    pub in_proj_bias: Param<Rank2<3, WIDTH>, E>,
    /// W_o and b_o.
    pub out_proj: Linear<WIDTH, WIDTH, E>,
    mask: PhantomData<M>,
}

/// An attention layer with `WIDTH` features, `HEADS` heads and dropout of `DROPOUT` percent accepts this dimension.
/// See [`Features`].
///
/// The heads are a requirement of the input, though only the layer's own numbers can be wrong: the compiler would check
/// a bound on these alone before it knows the input, and would only say that the layer takes nothing.
pub trait AttentionFeatures<const WIDTH: usize, const HEADS: usize, const DROPOUT: usize>: Features<WIDTH> {}
impl<const WIDTH: usize, const HEADS: usize, const DROPOUT: usize, D: Features<WIDTH>>
    AttentionFeatures<WIDTH, HEADS, DROPOUT> for D
where
    Const<WIDTH>: Heads<HEADS>,
    Const<100>: Percent<DROPOUT>,
{
}

/// Sequences of a width that is known to fit.
#[track_caller]
fn fit<X: SequenceAxes, const W: usize, E: Float, T: Trace>(
    layer: &str,
    what: &str,
    x: Tensor<X, E, T>,
) -> Tensor<(X::B, X::L, Const<W>), E, T> {
    let (batch, steps, features) = x.shape().axes();
    expect_size(layer, what, W, features);
    x.in_shape((batch, steps, Const))
}

impl<const WIDTH: usize, const HEADS: usize, const DROPOUT: usize, M: AttentionMask, E: Float>
    MultiHeadAttention<WIDTH, HEADS, DROPOUT, M, E>
{
    fn masking(&self, lengths: Option<Arc<[usize]>>) -> Masking {
        Masking { causal: M::CAUSAL, lengths, dropout: DROPOUT as f64 / 100.0 }
    }

    /// `PARTS` of queries, keys and values, the first of them number `first`.
    #[track_caller]
    fn project<const PARTS: usize, B: Dim, L: Dim, T: Trace>(
        &self,
        x: Tensor<(B, L, Const<WIDTH>), E, T>,
        first: usize,
    ) -> Tensor<(B, L, Const<PARTS>, Const<WIDTH>), E, T> {
        let (weight, bias) = (self.in_proj_weight.on(&x), self.in_proj_bias.on(&x));
        linear_parts(x, weight, bias, first)
    }

    #[track_caller]
    fn within<X: SequenceAxes, T: Trace>(&self, x: Tensor<X, E, T>, lengths: Option<Arc<[usize]>>) -> Tensor<X, E, T> {
        let shape = x.shape();
        let y = self_attention(self.project(fit(NAME, "features", x), 0), HEADS, self.masking(lengths));
        self.out_proj.forward(y).in_shape(shape)
    }

    #[track_caller]
    fn across<X: SequenceAxes, Y: SequenceAxes<B = X::B>, T: Trace>(
        &self,
        x: Tensor<X, E, T>,
        memory: Tensor<Y, E, T>,
        lengths: Option<Arc<[usize]>>,
    ) -> Tensor<X, E, T> {
        let shape = x.shape();
        let (batch, of_memory) = (shape.axes().0, memory.shape().axes().0);
        if batch != of_memory {
            panic!("{NAME}: the input has {} sequences, the memory {}", batch.size(), of_memory.size());
        }
        let (x, memory) = (fit(NAME, "features", x), fit(NAME, "features of the memory", memory));
        let y = cross_attention(self.project(x, 0), self.project(memory, 1), HEADS, self.masking(lengths));
        self.out_proj.forward(y).in_shape(shape)
    }
}

impl<const WIDTH: usize, const HEADS: usize, const DROPOUT: usize, M, E: Float> Init
    for MultiHeadAttention<WIDTH, HEADS, DROPOUT, M, E>
{
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        // Xavier's, of one matrix with fan-in WIDTH and fan-out 3 WIDTH
        let bound = E::of((6.0 / (4 * WIDTH.max(1)) as f64).sqrt());
        let in_proj_weight = Tensor::uniform(-bound, bound, rng).into();
        let mut out_proj = Linear::init(rng);
        out_proj.bias = Tensor::zeros().into();
        MultiHeadAttention { in_proj_weight, in_proj_bias: Tensor::zeros().into(), out_proj, mask: PhantomData }
    }
}

impl<const WIDTH: usize, const HEADS: usize, const DROPOUT: usize, M, E: Float> Parameters
    for MultiHeadAttention<WIDTH, HEADS, DROPOUT, M, E>
{
    fn visit(&self, path: &mut ParameterPath, visitor: &mut dyn Visitor) {
        path.at("in_proj_weight", |path| self.in_proj_weight.visit_as(&[3 * WIDTH, WIDTH], path, visitor));
        path.at("in_proj_bias", |path| self.in_proj_bias.visit_as(&[3 * WIDTH], path, visitor));
        path.at("out_proj", |path| self.out_proj.visit(path, visitor));
    }
    fn visit_mut(&mut self, path: &mut ParameterPath, visitor: &mut dyn VisitorMut) {
        path.at("in_proj_weight", |path| self.in_proj_weight.visit_mut_as(&[3 * WIDTH, WIDTH], path, visitor));
        path.at("in_proj_bias", |path| self.in_proj_bias.visit_mut_as(&[3 * WIDTH], path, visitor));
        path.at("out_proj", |path| self.out_proj.visit_mut(path, visitor));
    }
}

impl<
    const WIDTH: usize,
    const HEADS: usize,
    const DROPOUT: usize,
    M: AttentionMask,
    X: SequenceAxes,
    E: Float,
    T: Trace,
> Module<Tensor<X, E, T>> for MultiHeadAttention<WIDTH, HEADS, DROPOUT, M, E>
where
    X::F: AttentionFeatures<WIDTH, HEADS, DROPOUT>,
{
    type Output = Tensor<X, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        self.within(x, None)
    }
}

impl<
    const WIDTH: usize,
    const HEADS: usize,
    const DROPOUT: usize,
    M: AttentionMask,
    X: SequenceAxes,
    E: Float,
    T: Trace,
> Module<(Tensor<X, E, T>, Tensor<(X::B,), usize>)> for MultiHeadAttention<WIDTH, HEADS, DROPOUT, M, E>
where
    X::F: AttentionFeatures<WIDTH, HEADS, DROPOUT>,
{
    type Output = Tensor<X, E, T>;
    fn apply(&self, (x, of_each): (Tensor<X, E, T>, Tensor<(X::B,), usize>)) -> Self::Output {
        let (batch, steps, _) = x.shape().axes();
        let lengths = lengths(NAME, &of_each, batch, steps.size());
        // cleared first, or the contents of padding would reach the weights' gradients, and last, or they would be
        // passed on
        let y = self.within(clear_padding(x, &lengths), Some(lengths.clone()));
        clear_padding(y, &lengths)
    }
}

impl<
    const WIDTH: usize,
    const HEADS: usize,
    const DROPOUT: usize,
    M: AttentionMask,
    X: SequenceAxes,
    Y: SequenceAxes<B = X::B>,
    E: Float,
    T: Trace,
> Module<(Tensor<X, E, T>, Tensor<Y, E, T>)> for MultiHeadAttention<WIDTH, HEADS, DROPOUT, M, E>
where
    X::F: AttentionFeatures<WIDTH, HEADS, DROPOUT>,
    Y::F: Features<WIDTH>,
{
    type Output = Tensor<X, E, T>;
    fn apply(&self, (x, memory): (Tensor<X, E, T>, Tensor<Y, E, T>)) -> Self::Output {
        self.across(x, memory, None)
    }
}

impl<
    const WIDTH: usize,
    const HEADS: usize,
    const DROPOUT: usize,
    M: AttentionMask,
    X: SequenceAxes,
    Y: SequenceAxes<B = X::B>,
    E: Float,
    T: Trace,
> Module<(Tensor<X, E, T>, Tensor<Y, E, T>, Tensor<(X::B,), usize>)> for MultiHeadAttention<WIDTH, HEADS, DROPOUT, M, E>
where
    X::F: AttentionFeatures<WIDTH, HEADS, DROPOUT>,
    Y::F: Features<WIDTH>,
{
    type Output = Tensor<X, E, T>;
    fn apply(&self, (x, memory, of_each): (Tensor<X, E, T>, Tensor<Y, E, T>, Tensor<(X::B,), usize>)) -> Self::Output {
        let (batch, steps, _) = memory.shape().axes();
        let lengths = lengths(NAME, &of_each, batch, steps.size());
        let memory = clear_padding(memory, &lengths);
        self.across(x, memory, Some(lengths))
    }
}
