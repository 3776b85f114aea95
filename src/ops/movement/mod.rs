//! Operations that move elements without computing anything.

mod broadcast;
mod flip;
mod gather;
pub(super) mod index_select;
pub(super) mod join;
pub(super) mod moving;
mod one_hot;
mod pad;
mod permute;
pub(super) mod repeat;
pub(super) mod reshape;
pub(super) mod slice;
pub(super) mod sort;
