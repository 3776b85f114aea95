//! Layers, and how models are built from them.

mod activation;
mod attention;
mod autoencoder;
mod batch_norm;
mod bias;
mod blocks;
mod conv1d;
mod conv2d;
mod conv_transpose2d;
mod dropout;
mod embedding;
mod eval;
mod frozen;
mod identity;
pub mod init;
mod lambda;
mod last_step;
mod layer_norm;
mod linear;
mod module;
mod optional_bias;
mod pad2d;
mod pixel_shuffle;
mod pointers;
mod pool1d;
mod pool2d;
mod prelu;
mod recurrent;
mod reshape;
mod residual;
mod softmax;
mod spectral_norm;
mod summary;
mod trainable;
mod tuple;
mod upsample;
mod weighted;

pub use activation::{Elu, Gelu, GeluTanh, LeakyRelu, Relu, Sigmoid, Silu, Softplus, Tanh};
pub use attention::{
    AttentionFeatures, AttentionMask, CausalMask, LearnedPositionalEncoding, MultiHeadAttention, NoMask, NormOrder,
    PositionalEncoding, PostNorm, PreNorm, StepsWithin, TransformerEncoder, TransformerEncoderLayer,
};
pub use autoencoder::{Autoencoder, RestoresShape};
pub use batch_norm::{BatchNorm, BatchNorm1d, BatchNorm1dNoAffine, BatchNorm2d, BatchNorm2dNoAffine, BatchNormOptions};
pub use bias::Bias;
pub use blocks::SameAs;
pub use conv_transpose2d::ConvTranspose2d;
pub use conv1d::Conv1d;
pub use conv2d::{Conv2d, Conv2dNoBias, GroupedConv2d, GroupedWeight, RectangularConv2d, SameConv2d};
pub use dropout::{Dropout, Dropout2d, Percent};
pub use embedding::{BagMode, Embedding, EmbeddingBag, RowIndex};
pub use eval::{Eval, eval};
pub use frozen::{Frozen, frozen};
pub use identity::Identity;
pub use lambda::Lambda;
pub use last_step::LastStep;
pub use layer_norm::{GroupNorm, LayerNorm};
pub use linear::{Linear, LinearNoBias};
pub use module::{Forward, Init, Module, check};
pub use optional_bias::{NoBias, OptionalBias};
pub use pad2d::{ReflectionPad2d, ReplicationPad2d, ZeroPad2d};
pub use pixel_shuffle::PixelShuffle;
pub use pool1d::{AvgPool1d, MaxPool1d};
pub use pool2d::{
    AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool2d, GlobalAvgPool2d, GlobalMaxPool2d, MaxPool2d, MaxUnpool2d,
    PoolIndices,
};
pub use prelu::{ChannelPRelu, PRelu};
pub use recurrent::{
    BiGru, BiLstm, BiRnn, Bidirectional, Direction, Elman, ElmanRelu, Gru, GruCell, GruGates, Hidden, HiddenAndCell,
    InitialState, InitialStates, Lstm, LstmCell, LstmGates, LstmState, Recurrent, RecurrentCell, RecurrentKind,
    ReluRnn, ReluRnnCell, Rnn, RnnCell, SequenceLengths, StateKind, Unidirectional,
};
pub use reshape::{Flatten, Reshape};
pub use residual::{KeepsShape, Residual};
pub use softmax::{LogSoftmax, Softmax};
pub use spectral_norm::SpectralNorm;
pub use summary::{Summarize, Summary, SummaryRow};
pub use taut_macros::{Init, Module};
pub use trainable::{Trainable, Untraced};
pub use upsample::{UpsampleBilinear2d, UpsampleNearest2d};
pub use weighted::{Weighted, WithWeight};
