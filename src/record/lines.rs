//! Metrics as JSON lines.

use crate::files::{FileError, Position, regular};
use crate::numbers::{of_special_name, special_name};
use serde_core::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use std::fmt;
use std::io::Read;
use std::path::Path;

/// The file's name in the folder of a run.
pub(super) const NAME: &str = "metrics.jsonl";

/// What one call of [`Run::log`](super::Run::log) wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// The step, epoch or whatever is counted.
    pub step: usize,
    /// The seconds that the run had taken.
    pub seconds: f64,
    /// Names and values, in the order in which they were given.
    pub values: Vec<(String, f64)>,
}

/// The metrics in the folder of a run, which may still be going on. An incomplete last line is left out.
///
/// # Errors
/// If there is no run in this folder, or a line is damaged, which the error names.
///
/// ```
/// use taut::record::{Run, read};
/// # fn main() -> Result<(), taut::files::FileError> {
/// # let folder = std::env::temp_dir().join(format!("taut-doc-read-{}", std::process::id()));
/// let mut run = Run::create(&folder)?;
/// run.log(1, [("loss", 0.5)])?;
/// run.log(2, [("loss", 0.25)])?;
/// let losses: Vec<f64> = read(&folder)?.iter().map(|measurement| measurement.values[0].1).collect();
/// assert_eq!(losses, [0.5, 0.25]);
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok(())
/// # }
/// ```
pub fn read(folder: impl AsRef<Path>) -> Result<Vec<Measurement>, FileError> {
    read_lines(&folder.as_ref().join(NAME)).map(|lines| lines.measurements)
}

/// The complete lines of a file.
pub(super) struct Lines {
    pub(super) measurements: Vec<Measurement>,
    /// Whether an incomplete line follows them.
    pub(super) is_cut: bool,
}

pub(super) fn read_lines(path: &Path) -> Result<Lines, FileError> {
    let (mut file, _) = regular(path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|error| FileError::system(path, "cannot be read", error))?;
    let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let complete = bytes[..end].strip_suffix(b"\n").unwrap_or_default();
    let parse = |(number, line): (u64, &[u8])| {
        serde_json::from_slice(line).map_err(|error| {
            // serde_json adds the number of the line, always the first one
            let what = error.to_string();
            let what = what.split(" at line ").next().unwrap_or_default();
            FileError::at(path, Position::Line(number), format!("is not a measurement: {what}"))
        })
    };
    let lines = complete.split(|&byte| byte == b'\n').filter(|_| end > 0);
    let measurements = (1..).zip(lines).map(parse).collect::<Result<_, _>>()?;
    Ok(Lines { measurements, is_cut: end < bytes.len() })
}

impl Measurement {
    /// The line of the file, with its end. JSON has no NaN and no infinities: they are strings, as in tensors.
    pub(super) fn to_line(&self) -> String {
        let number = |value: f64| special_name(value).map_or_else(|| shortest(value), |name| format!("\"{name}\""));
        let mut line = format!("{{\"step\":{},\"seconds\":{:.3}", self.step, self.seconds);
        for (name, value) in &self.values {
            let name = serde_json::to_string(name).expect("every text is one in JSON");
            line += &format!(",{name}:{}", number(*value));
        }
        line + "}\n"
    }
}

/// The shortest text that reads back as the same number.
pub(super) fn shortest(value: f64) -> String {
    serde_json::to_string(&value).expect("a finite number is one in JSON")
}

impl<'de> Deserialize<'de> for Measurement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Measurement;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object with `step`, `seconds` and numbers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Measurement, A::Error> {
                let (mut step, mut seconds, mut values) = (None, None, Vec::new());
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "step" => step = Some(map.next_value()?),
                        "seconds" => seconds = Some(map.next_value()?),
                        _ => values.push((name, map.next_value::<Value>()?.0)),
                    }
                }
                let step = step.ok_or_else(|| A::Error::missing_field("step"))?;
                let seconds = seconds.ok_or_else(|| A::Error::missing_field("seconds"))?;
                Ok(Measurement { step, seconds, values })
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// A number, or the name of one that is not finite.
struct Value(f64);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a number, \"NaN\", \"inf\" or \"-inf\"")
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
                Ok(Value(value))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
                Ok(Value(value as f64))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
                Ok(Value(value as f64))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
                let invalid = || E::invalid_value(serde_core::de::Unexpected::Str(value), &self);
                of_special_name(value).map(Value).ok_or_else(invalid)
            }
        }
        deserializer.deserialize_any(Number)
    }
}
