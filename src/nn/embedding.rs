//! Embeddings: a vector for each item of a vocabulary.

use super::weighted::{Weighted, WithWeight};
use super::{Init, Module};
use crate::numbers::range::{below, expect};
use crate::ops::{embedding, embedding_bag};
use crate::params::{Param, ParameterPath, Parameters, Visitor, VisitorMut};
use crate::shape::{Append, Const, LastAxis, Rank2, Shape};
use crate::tensor::{Element, Float, Tensor};
use crate::trace::Trace;
use rand::Rng;

/// A vector of `DIM` numbers for each of `VOCAB` items: words, characters, categories. y_i = W_{k_i}
///
/// | | shape |
/// | --- | --- |
/// | indices k | any, of at most five dimensions |
/// | `weight` W | (`VOCAB`, `DIM`) |
/// | y | that of k, followed by `DIM` |
///
/// `init` draws all from the standard normal distribution, as PyTorch does.
///
/// The gradient is sparse: only the rows used are computed and stored, even while gradients are added up, scaled and
/// clipped. [`Sgd`](crate::optim::Sgd) without momentum and [`AdaGrad`](crate::optim::AdaGrad), both without weight
/// decay, and [lazy Adam](crate::optim::AdamConfig::lazy) then also update only these rows; other optimizers update
/// all, since their state moves a row even without a gradient. If the table is also used in another way, say as the
/// weight of a product, the gradient is that of the whole table.
///
/// # Panics
/// If an index is not below `VOCAB`: at the caller's line, with the index and its position.
///
/// ```
/// use taut::prelude::*;
/// let mut rng = StdRng::seed_from_u64(0);
/// let layer = Embedding::<1000, 16>::init(&mut rng);
/// let words = Tensor::from([[4, 8, 15], [16, 23, 42]]); // two sentences of three words
/// let y: Tensor<Rank3<2, 3, 16>> = layer.forward(words.clone());
///
/// type Tagger = (Embedding<1000, 16>, Lstm<16, 32>, Linear<32, 5>);
/// let tagger = Tagger::init(&mut rng);
/// let tape = Tape::training(&mut rng);
/// let tags = tagger.forward(tape.trace(words));
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct Embedding<const VOCAB: usize, const DIM: usize, E: Float = f32> {
    /// W, (`VOCAB`, `DIM`)
    pub weight: Param<Rank2<VOCAB, DIM>, E>,
    padding: Padding,
}

/// The index type of embeddings: `usize`. A named requirement for the sake of the compiler's error.
#[diagnostic::on_unimplemented(
    message = "an embedding looks up indices, and `{Self}` is not an index",
    label = "a tensor of `{Self}` arrives here",
    note = "indices are a `Tensor<_, usize>`"
)]
pub trait RowIndex: Element {
    #[doc(hidden)]
    fn indices<S: Shape, T: Trace>(tensor: Tensor<S, Self, T>) -> Tensor<S, usize, T>;
}
impl RowIndex for usize {
    fn indices<S: Shape, T: Trace>(tensor: Tensor<S, usize, T>) -> Tensor<S, usize, T> {
        tensor
    }
}

/// The padding row, if any.
#[derive(Clone, Copy, Debug)]
struct Padding(Option<usize>);

impl<const VOCAB: usize, const DIM: usize, E: Float> Embedding<VOCAB, DIM, E> {
    /// An embedding with these vectors. Training continues from them; [`Frozen`](super::Frozen) keeps them fixed.
    ///
    /// The number of [word vectors](crate::text::WordVectors) is known only at run time: the layer says how many it
    /// takes.
    ///
    /// ```
    /// use taut::prelude::*;
    /// use taut::text::{Corpus, WordVectors};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let vocabulary = Corpus::from_sentences([["cat", "dog"]]).vocabulary(Default::default())?;
    /// let vectors = WordVectors::new(vocabulary, Tensor::from_vec(vec![1.0, 0.0, 0.0, 1.0], (2, 2))?);
    /// let layer = Embedding::<2, 2>::from_weight(vectors.vectors().clone().try_into_shape()?);
    /// assert_eq!(layer.forward(Tensor::from([1])).to_array(), [[0.0, 1.0]]);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "from_pretrained")]
    pub fn from_weight(weight: Tensor<Rank2<VOCAB, DIM>, E>) -> Self {
        Embedding { weight: weight.into(), padding: Padding(None) }
    }

    /// Marks `index` as padding: its vector becomes zero, and is not trained.
    ///
    /// The index is not saved with the model: set it on a loaded model, too.
    ///
    /// # Panics
    /// If `index` is not below `VOCAB`.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let layer = Embedding::<10, 4>::init(&mut StdRng::seed_from_u64(0)).with_padding(0);
    /// assert_eq!(layer.forward(Tensor::from([3, 0])).slice(1), Tensor::zeros());
    /// ```
    #[doc(alias = "padding_idx")]
    #[must_use]
    #[track_caller]
    pub fn with_padding(mut self, index: usize) -> Self {
        expect(below("with_padding", "index", index, VOCAB));
        self.weight.value_mut().as_mut_slice()[index * DIM..][..DIM].fill(E::zero());
        self.padding = Padding(Some(index));
        self
    }
}

impl<const VOCAB: usize, const DIM: usize, E: Float> Init for Embedding<VOCAB, DIM, E> {
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        Self::from_weight(Tensor::randn(rng))
    }
}

impl<const VOCAB: usize, const DIM: usize, S: Append, K: RowIndex, E: Float, T: Trace> Module<Tensor<S, K, T>>
    for Embedding<VOCAB, DIM, E>
{
    type Output = Tensor<S::Appended<Const<DIM>>, E, T>;
    fn apply(&self, indices: Tensor<S, K, T>) -> Self::Output {
        let weight = self.weight.on(&indices);
        self.run_with(indices, weight)
    }
}

impl<const VOCAB: usize, const DIM: usize, S: Append, K: RowIndex, E: Float, T: Trace> WithWeight<S, K, T>
    for Embedding<VOCAB, DIM, E>
{
    type Output = Tensor<S::Appended<Const<DIM>>, E, T>;
    fn run_with(&self, indices: Tensor<S, K, T>, weight: Tensor<Rank2<VOCAB, DIM>, E, T>) -> Self::Output {
        embedding(weight, K::indices(indices), self.padding.0)
    }
}

impl<const VOCAB: usize, const DIM: usize, E: Float> Weighted for Embedding<VOCAB, DIM, E> {
    type Element = E;
    type Weight = Rank2<VOCAB, DIM>;
    fn weight(&self) -> &Param<Self::Weight, E> {
        &self.weight
    }
}

/// How an [`EmbeddingBag`] combines the vectors of a bag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BagMode {
    /// Their sum.
    Sum,
    /// Their mean.
    #[default]
    Mean,
}

// neither is trained or saved
impl Parameters for BagMode {
    fn visit(&self, _: &mut ParameterPath, _: &mut dyn Visitor) {}
    fn visit_mut(&mut self, _: &mut ParameterPath, _: &mut dyn VisitorMut) {}
}
impl Parameters for Padding {
    fn visit(&self, _: &mut ParameterPath, _: &mut dyn Visitor) {}
    fn visit_mut(&mut self, _: &mut ParameterPath, _: &mut dyn VisitorMut) {}
}

/// The mean (or the sum) of the vectors of each bag of words, without storing the vectors one by one.
///
/// | | shape |
/// | --- | --- |
/// | indices k | (.., L): L words in each bag |
/// | `weight` W | (`VOCAB`, `DIM`) |
/// | y | (.., `DIM`) |
///
/// Padding is ignored, even in the divisor of a mean; the mean of an empty bag is zero.
/// `init` and the gradient are as for [`Embedding`].
///
/// # Panics
/// If an index is not below `VOCAB`: at the caller's line, with the index and its position.
///
/// ```
/// use taut::prelude::*;
/// let layer = EmbeddingBag::<1000, 16>::init(&mut StdRng::seed_from_u64(0));
/// let reviews = Tensor::from([[4, 8, 15], [16, 23, 42]]); // two of three words
/// let y: Tensor<Rank2<2, 16>> = layer.forward(reviews);
/// ```
#[derive(Clone, Debug, Parameters)]
pub struct EmbeddingBag<const VOCAB: usize, const DIM: usize, E: Float = f32> {
    /// W, (`VOCAB`, `DIM`)
    pub weight: Param<Rank2<VOCAB, DIM>, E>,
    /// The mean by default.
    pub mode: BagMode,
    padding: Padding,
}

impl<const VOCAB: usize, const DIM: usize, E: Float> EmbeddingBag<VOCAB, DIM, E> {
    /// A layer with these vectors that takes their mean. Training continues from them, as for
    /// [`Embedding::from_weight`].
    ///
    /// ```
    /// use taut::prelude::*;
    /// let layer = EmbeddingBag::from_weight(Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
    /// assert_eq!(layer.forward(Tensor::from([[0, 1], [2, 2]])).to_array(), [[2.0, 3.0], [5.0, 6.0]]);
    /// ```
    #[doc(alias = "from_pretrained")]
    pub fn from_weight(weight: Tensor<Rank2<VOCAB, DIM>, E>) -> Self {
        EmbeddingBag { weight: weight.into(), mode: BagMode::default(), padding: Padding(None) }
    }

    /// The index that is padding, if there is one.
    #[cfg(feature = "onnx")]
    pub(crate) fn padding(&self) -> Option<usize> {
        self.padding.0
    }

    /// Marks `index` as padding, which is ignored.
    ///
    /// Neither the index nor the mode is saved with the model: set them on a loaded model, too, or load the parameters
    /// into a model that has them.
    ///
    /// # Panics
    /// If `index` is not below `VOCAB`.
    ///
    /// ```
    /// use taut::prelude::*;
    /// let layer = EmbeddingBag::<10, 4>::init(&mut StdRng::seed_from_u64(0)).with_padding(0);
    /// let bags = layer.forward(Tensor::from([[3, 0], [3, 3]]));
    /// assert_eq!(bags.clone().slice(0), bags.clone().slice(1));
    ///
    /// let mut again = EmbeddingBag::<10, 4>::init(&mut StdRng::seed_from_u64(1)).with_padding(0);
    /// again.load_safetensors(&layer.to_safetensors().unwrap()).unwrap();
    /// assert_eq!(again.forward(Tensor::from([[3, 0], [3, 3]])), bags);
    /// ```
    #[doc(alias = "padding_idx")]
    #[must_use]
    #[track_caller]
    pub fn with_padding(mut self, index: usize) -> Self {
        expect(below("with_padding", "index", index, VOCAB));
        self.padding = Padding(Some(index));
        self
    }
}

impl<const VOCAB: usize, const DIM: usize, E: Float> Init for EmbeddingBag<VOCAB, DIM, E> {
    fn init<R: Rng + ?Sized>(rng: &mut R) -> Self {
        Self::from_weight(Tensor::randn(rng))
    }
}

impl<const VOCAB: usize, const DIM: usize, S: LastAxis, K: RowIndex, E: Float, T: Trace> Module<Tensor<S, K, T>>
    for EmbeddingBag<VOCAB, DIM, E>
{
    type Output = Tensor<S::WithLast<Const<DIM>>, E, T>;
    fn apply(&self, bags: Tensor<S, K, T>) -> Self::Output {
        let factor = match self.mode {
            BagMode::Sum => |_| 1.0,
            BagMode::Mean => |count: usize| 1.0 / count.max(1) as f64,
        };
        embedding_bag(self.weight.on(&bags), K::indices(bags), self.padding.0, factor)
    }
}
