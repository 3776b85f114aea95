//! Empty: this package exists only for its tests (`tests/messages.rs`), so that their dependencies are not dependencies
//! of taut.
