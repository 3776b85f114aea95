//! Whole networks, built from the layers of [`nn`](crate::nn): to use, and to read.

mod resnet;

pub use resnet::{BasicBlock, CifarResNet18, DownBlock, ResNet18, ResNet18Features};
