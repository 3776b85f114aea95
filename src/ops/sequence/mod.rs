//! Sequences: recurrent layers, attention, embeddings.

pub(super) mod attention;
pub(super) mod embedding;
pub(super) mod lengths;
pub(super) mod positions;
pub(super) mod recurrent;
