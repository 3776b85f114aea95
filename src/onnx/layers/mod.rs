//! The nodes of each layer, by kind.

mod activation;
mod attention;
mod chain;
mod convolution;
mod embedding;
mod image;
mod normalization;
mod pooling;
mod product;
mod recurrent;
mod shape;

pub use recurrent::ExportedCell;
