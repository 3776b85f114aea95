//! Nothing: this package exists for its tests alone (`tests/messages.rs`), so that the dependencies which they need
//! are not dependencies of taut.
