//! Layers, and what models are made of.

mod activation;
mod add_bias;
mod bias;
mod conv1d;
mod conv2d;
mod conv_transpose2d;
mod frozen;
pub mod init;
mod linear;
mod module;
mod param;
mod parameters;
mod pool2d;
mod reshape;
mod residual;
mod tuple;

pub use activation::{Relu, Sigmoid};
pub use add_bias::Bias;
pub use bias::{NoBias, OptionalBias};
pub use conv_transpose2d::ConvTranspose2d;
pub use conv1d::Conv1d;
pub use conv2d::{Conv2d, Conv2dNoBias, GroupedConv2d, GroupedWeight, Odd, RectangularConv2d, SameConv2d};
pub use frozen::{Frozen, frozen};
pub use linear::{Linear, LinearNoBias};
pub use module::{Forward, Init, Module, check};
pub use param::{Buffer, Param};
pub use parameters::{Kind, Leaf, LeafMut, Parameters, Path, Values, ValuesMut, Visitor, VisitorMut};
pub use pool2d::{
    AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool2d, GlobalAvgPool2d, GlobalMaxPool2d, MaxPool2d, MaxUnpool2d,
    PoolIndices,
};
pub use reshape::{Flatten, Reshape};
pub use residual::{KeepsShape, Residual};
pub use taut_macros::{Init, Module, Parameters};
