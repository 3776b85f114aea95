#![deny(unsafe_code)]
pub mod shape;
pub mod prelude {
    pub use crate::shape::*;
}
