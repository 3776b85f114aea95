//! Windows over images: convolution, pooling, scaling.

pub(super) mod conv2d;
pub(super) mod im2col;
pub(super) mod pool2d;
pub(super) mod resample2d;
