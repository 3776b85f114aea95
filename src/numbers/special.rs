//! The names of numbers that are not finite, for formats such as JSON that have no such numbers.

/// The name of a number that is not finite.
pub fn special_name(value: f64) -> Option<&'static str> {
    match value {
        f64::INFINITY => Some("inf"),
        f64::NEG_INFINITY => Some("-inf"),
        value => value.is_nan().then_some("NaN"),
    }
}

/// The number of this name.
pub fn of_special_name(name: &str) -> Option<f64> {
    [f64::NAN, f64::INFINITY, f64::NEG_INFINITY].into_iter().find(|&value| special_name(value) == Some(name))
}
