//! Whether a setting is in range, and the sentence that says so.

/// `Ok` if 0 <= value < infinity.
pub fn not_negative(owner: &str, name: &str, value: f64) -> Result<(), String> {
    within(owner, name, value, value >= 0.0 && value.is_finite(), "a finite number of at least 0")
}

/// `Ok` if value is a number, and not infinite.
pub fn finite(owner: &str, name: &str, value: f64) -> Result<(), String> {
    within(owner, name, value, value.is_finite(), "a finite number")
}

/// `Ok` if 0 <= value, which may be infinite: what nothing exceeds.
pub fn limit(owner: &str, name: &str, value: f64) -> Result<(), String> {
    within(owner, name, value, value >= 0.0, "at least 0")
}

/// `Ok` if 0 <= value <= 1: a part, or a probability.
pub fn part(owner: &str, name: &str, value: f64) -> Result<(), String> {
    within(owner, name, value, (0.0..=1.0).contains(&value), "from 0 to 1")
}

/// `Ok` if 0 <= value < 1: what a moving average keeps at each step.
pub fn average(owner: &str, name: &str, value: f64) -> Result<(), String> {
    within(owner, name, value, (0.0..1.0).contains(&value), "at least 0 and below 1")
}

fn within(owner: &str, name: &str, value: f64, fits: bool, range: &str) -> Result<(), String> {
    if fits { Ok(()) } else { Err(format!("{owner}: `{name}` must be {range}, and is {value}")) }
}

/// Panics with the sentence, where there is one.
#[track_caller]
pub fn expect(checked: Result<(), String>) {
    if let Err(wrong) = checked {
        panic!("{wrong}");
    }
}
