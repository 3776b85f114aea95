//! The encoder of a transformer: attention and a small per-step network, in turn.

use super::{AttentionFeatures, AttentionMask, MultiHeadAttention, NoMask, fit};
use crate::nn::{Forward, Identity, Init, LayerNorm, Linear, Module, Relu};
use crate::ops::{clear_padding, dropout, lengths};
use crate::params::Parameters;
use crate::shape::{Const, Dim, Features, SequenceAxes, Shape, expect_size};
use crate::tensor::{Float, Tensor};
use crate::trace::Trace;

/// Where a [`TransformerEncoderLayer`] normalises: [`PostNorm`] or [`PreNorm`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say where a layer normalises",
    note = "`PostNorm` or `PreNorm` does"
)]
pub trait NormOrder {
    /// Whether the input of a block is normalised, rather than the sum at its output.
    const FIRST: bool;
}

/// x = norm(x + block(x)), as in the paper, and PyTorch's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct PostNorm;
impl NormOrder for PostNorm {
    const FIRST: bool = false;
}

/// x = x + block(norm(x)), PyTorch's `norm_first=True`: deep stacks train without warm-up. Xiong et al., "On Layer
/// Normalization in the Transformer Architecture", 2020.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Init, Parameters)]
pub struct PreNorm;
impl NormOrder for PreNorm {
    const FIRST: bool = true;
}

/// A transformer block: self-attention, then a network with one hidden layer applied to each step, both with residual
/// connections.
///
/// a = norm1(x + dropout(attention(x))), y = norm2(a + dropout(linear2(dropout(activation(linear1(a))))))
///
/// or, with `N` = [`PreNorm`], a = x + dropout(attention(norm1(x))), and so on.
///
/// | input | output |
/// | --- | --- |
/// | `x`, (B, L, `WIDTH`) | the same shape |
/// | `(x, lengths)`, lengths (B) | the same shape, and 0 after the end of each sequence |
///
/// `DROPOUT` is in percent, and also applies to attention weights. `M` is [`NoMask`] or
/// [`CausalMask`](super::CausalMask), `A` the activation, a layer. Defaults, names (`self_attn.in_proj_weight`,
/// `linear1.weight`, `norm1.bias`, ..) and initial values are those of PyTorch's `TransformerEncoderLayer` (with
/// `batch_first=True`), whose files can be loaded. For a stack of them, see [`TransformerEncoder`].
///
/// Vaswani et al., "Attention Is All You Need", 2017.
///
/// ```
/// use taut::nn::PreNorm;
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let layer = TransformerEncoderLayer::<16, 4, 64>::init(&mut rng);
/// let y: Tensor<Rank3<2, 10, 16>> = layer.forward(Tensor::<Rank3<2, 10, 16>>::randn(&mut rng));
///
/// // a block of a language model such as GPT-2: it cannot see the future
/// type Block = TransformerEncoderLayer<16, 4, 64, 10, CausalMask, PreNorm, Gelu>;
/// let x = Tensor::<Rank3<2, 10, 16>>::randn(&mut rng);
/// let y = Block::init(&mut rng).forward((x, Tensor::from([10, 7])));
/// ```
#[derive(Clone, Debug, Init, Parameters)]
pub struct TransformerEncoderLayer<
    const WIDTH: usize,
    const HEADS: usize,
    const HIDDEN: usize,
    const DROPOUT: usize = 10,
    M: AttentionMask = NoMask,
    N = PostNorm,
    A = Relu,
    E: Float = f32,
> {
    /// Self-attention.
    pub self_attn: MultiHeadAttention<WIDTH, HEADS, DROPOUT, M, E>,
    /// From `WIDTH` to `HIDDEN`.
    pub linear1: Linear<WIDTH, HIDDEN, E>,
    /// From `HIDDEN` to `WIDTH`.
    pub linear2: Linear<HIDDEN, WIDTH, E>,
    /// Of the attention block: its sum, or its input with [`PreNorm`].
    pub norm1: LayerNorm<WIDTH, E>,
    /// Of the network's block, likewise.
    pub norm2: LayerNorm<WIDTH, E>,
    /// Between `linear1` and `linear2`.
    pub activation: A,
    order: N,
}

const NAME: &str = "TransformerEncoderLayer";

impl<
    const WIDTH: usize,
    const HEADS: usize,
    const HIDDEN: usize,
    const DROPOUT: usize,
    M: AttentionMask,
    N: NormOrder,
    A,
    E: Float,
> TransformerEncoderLayer<WIDTH, HEADS, HIDDEN, DROPOUT, M, N, A, E>
{
    #[track_caller]
    fn run<B: Dim, L: Dim, X: Features<WIDTH>, T: Trace>(
        &self,
        x: Tensor<(B, L, X), E, T>,
        attention: impl Fn(Tensor<(B, L, X), E, T>) -> Tensor<(B, L, X), E, T>,
    ) -> Tensor<(B, L, X), E, T>
    where
        A: Module<Hidden<B, L, HIDDEN, E, T>, Output = Hidden<B, L, HIDDEN, E, T>>,
    {
        let shape = x.shape();
        expect_size(NAME, "features", WIDTH, shape.2);
        let probability = DROPOUT as f64 / 100.0;
        let attention = |x| dropout(attention(x), probability, 1);
        let network = |x| {
            let hidden = self.activation.forward(self.linear1.forward(fit(NAME, "features", x)));
            dropout(self.linear2.forward(dropout(hidden, probability, 1)).in_shape(shape), probability, 1)
        };
        if N::FIRST {
            let x = x.clone() + attention(self.norm1.forward(x));
            x.clone() + network(self.norm2.forward(x))
        } else {
            let x = self.norm1.forward(x.clone() + attention(x));
            self.norm2.forward(x.clone() + network(x))
        }
    }
}

/// The activation between the two layers of the network.
type Hidden<B, L, const HIDDEN: usize, E, T> = Tensor<(B, L, Const<HIDDEN>), E, T>;

impl<
    const WIDTH: usize,
    const HEADS: usize,
    const HIDDEN: usize,
    const DROPOUT: usize,
    M: AttentionMask,
    N: NormOrder,
    A: Module<Hidden<X::B, X::L, HIDDEN, E, T>, Output = Hidden<X::B, X::L, HIDDEN, E, T>>,
    X: SequenceAxes,
    E: Float,
    T: Trace,
> Module<Tensor<X, E, T>> for TransformerEncoderLayer<WIDTH, HEADS, HIDDEN, DROPOUT, M, N, A, E>
where
    X::F: AttentionFeatures<WIDTH, HEADS, DROPOUT>,
{
    type Output = Tensor<X, E, T>;
    fn apply(&self, x: Tensor<X, E, T>) -> Self::Output {
        let shape = x.shape();
        self.run(x.in_shape(shape.axes()), |x| self.self_attn.forward(x)).in_shape(shape)
    }
}

impl<
    const WIDTH: usize,
    const HEADS: usize,
    const HIDDEN: usize,
    const DROPOUT: usize,
    M: AttentionMask,
    N: NormOrder,
    A: Module<Hidden<X::B, X::L, HIDDEN, E, T>, Output = Hidden<X::B, X::L, HIDDEN, E, T>>,
    X: SequenceAxes,
    E: Float,
    T: Trace,
> Module<(Tensor<X, E, T>, Tensor<(X::B,), usize>)>
    for TransformerEncoderLayer<WIDTH, HEADS, HIDDEN, DROPOUT, M, N, A, E>
where
    X::F: AttentionFeatures<WIDTH, HEADS, DROPOUT>,
{
    type Output = Tensor<X, E, T>;
    fn apply(&self, (x, of_each): (Tensor<X, E, T>, Tensor<(X::B,), usize>)) -> Self::Output {
        let shape = x.shape();
        let (batch, steps, _) = shape.axes();
        let lengths = lengths(NAME, &of_each, batch, steps.size());
        let x = clear_padding(x.in_shape(shape.axes()), &lengths);
        let y = self.run(x, |x| self.self_attn.forward((x, of_each.clone())));
        clear_padding(y.in_shape(shape), &lengths)
    }
}

/// `LAYERS` layers `L` in sequence, then `N`: nothing, or a [`LayerNorm`], which a stack with [`PreNorm`] needs.
///
/// Takes the same inputs as its layers, `x` or `(x, lengths)`, and keeps the shape. The names of the parameters
/// (`layers.0.norm1.bias`, `norm.weight`, ..) are those of PyTorch's `TransformerEncoder`, whose files can be loaded.
///
/// ```
/// use taut::nn::PreNorm;
/// use taut::prelude::*;
/// type LanguageModel = (
///     Embedding<65, 32>,
///     LearnedPositionalEncoding<64, 32>,
///     TransformerEncoder<TransformerEncoderLayer<32, 4, 128, 10, CausalMask, PreNorm, Gelu>, 2, LayerNorm<32>>,
///     Linear<32, 65>,
/// );
/// let model = LanguageModel::init(&mut StdRng::seed_from_u64(0));
/// let logits: Tensor<Rank3<8, 50, 65>> = model.forward(Tensor::<Rank2<8, 50>, usize>::zeros());
/// ```
#[derive(Clone, Debug, Init, Parameters)]
pub struct TransformerEncoder<L, const LAYERS: usize, N = Identity> {
    /// The layers, in order.
    pub layers: [L; LAYERS],
    /// What follows the layers.
    pub norm: N,
}

impl<S: Shape, E: Float, T: Trace, Y, L, const LAYERS: usize, N> Module<Tensor<S, E, T>>
    for TransformerEncoder<L, LAYERS, N>
where
    [L; LAYERS]: Module<Tensor<S, E, T>, Output = Y>,
    N: Module<Y>,
{
    type Output = N::Output;
    fn apply(&self, x: Tensor<S, E, T>) -> Self::Output {
        self.norm.forward(self.layers.forward(x))
    }
}

impl<B: Dim, S: Dim, X: Dim, E: Float, T: Trace, L, const LAYERS: usize, N>
    Module<(Tensor<(B, S, X), E, T>, Tensor<(B,), usize>)> for TransformerEncoder<L, LAYERS, N>
where
    L: Module<(Tensor<(B, S, X), E, T>, Tensor<(B,), usize>), Output = Tensor<(B, S, X), E, T>>,
    N: Module<Tensor<(B, S, X), E, T>, Output = Tensor<(B, S, X), E, T>>,
{
    type Output = Tensor<(B, S, X), E, T>;
    fn apply(&self, (x, of_each): (Tensor<(B, S, X), E, T>, Tensor<(B,), usize>)) -> Self::Output {
        let lengths = lengths("TransformerEncoder", &of_each, x.shape().0, x.shape().1.size());
        let mut x = clear_padding(x, &lengths);
        for layer in &self.layers {
            x = layer.forward((x, of_each.clone()));
        }
        clear_padding(self.norm.forward(x), &lengths)
    }
}
