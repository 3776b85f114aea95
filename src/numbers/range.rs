//! Range checks of settings, and their error.

use std::fmt;

/// A setting that is out of its range: `Adam: `epsilon` must be a finite number of at least 0, and is -1`.
///
/// ```
/// use taut::optim::OutOfRange;
/// let wrong = OutOfRange::new("SignDescent", "learning_rate", "above 0", -0.5);
/// assert_eq!(wrong.to_string(), "SignDescent: `learning_rate` must be above 0, and is -0.5");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OutOfRange {
    owner: String,
    setting: String,
    range: String,
    value: f64,
}

impl OutOfRange {
    /// From the setting's owner, its name, what it must be, and its value.
    pub fn new(owner: &str, setting: &str, range: &str, value: f64) -> Self {
        OutOfRange { owner: owner.to_string(), setting: setting.to_string(), range: range.to_string(), value }
    }
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OutOfRange { owner, setting, range, value } = self;
        write!(f, "{owner}: `{setting}` must be {range}, and is {value}")
    }
}

impl std::error::Error for OutOfRange {}

/// `Ok` if 0 <= value < infinity.
pub fn not_negative(owner: &str, name: &str, value: f64) -> Result<(), OutOfRange> {
    within(owner, name, value, value >= 0.0 && value.is_finite(), "a finite number of at least 0")
}

/// `Ok` if value is finite.
pub fn finite(owner: &str, name: &str, value: f64) -> Result<(), OutOfRange> {
    within(owner, name, value, value.is_finite(), "a finite number")
}

/// `Ok` if 0 <= value, including infinity: no limit.
pub fn at_least_zero(owner: &str, name: &str, value: f64) -> Result<(), OutOfRange> {
    within(owner, name, value, value >= 0.0, "at least 0")
}

/// `Ok` if 0 <= value <= 1: a fraction or a probability.
pub fn part(owner: &str, name: &str, value: f64) -> Result<(), OutOfRange> {
    within(owner, name, value, (0.0..=1.0).contains(&value), "from 0 to 1")
}

/// `Ok` if 0 <= value < 1: what a moving average keeps at each step.
pub fn average(owner: &str, name: &str, value: f64) -> Result<(), OutOfRange> {
    within(owner, name, value, (0.0..1.0).contains(&value), "at least 0 and below 1")
}

/// `Ok` if 1 <= value: how many of something there are.
pub fn at_least_one(owner: &str, name: &str, value: usize) -> Result<(), OutOfRange> {
    within(owner, name, value as f64, value > 0, "at least 1")
}

/// `Ok` if value <= most.
pub fn at_most(owner: &str, name: &str, value: usize, most: usize) -> Result<(), OutOfRange> {
    within(owner, name, value as f64, value <= most, &format!("at most {most}"))
}

/// `Ok` if value < count: an index below this many, counted from 0.
pub fn below(owner: &str, name: &str, value: usize, count: usize) -> Result<(), OutOfRange> {
    within(owner, name, value as f64, value < count, &format!("below {count}"))
}

/// `Ok` if the value is a number, even an infinite one.
pub fn a_number(owner: &str, name: &str, value: f64) -> Result<(), OutOfRange> {
    within(owner, name, value, !value.is_nan(), "a number")
}

fn within(owner: &str, name: &str, value: f64, fits: bool, range: &str) -> Result<(), OutOfRange> {
    if fits { Ok(()) } else { Err(OutOfRange::new(owner, name, range, value)) }
}

/// Panics with the error, if there is one.
#[track_caller]
pub fn expect(checked: Result<(), OutOfRange>) {
    if let Err(wrong) = checked {
        panic!("{wrong}");
    }
}
