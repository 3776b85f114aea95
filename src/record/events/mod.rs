//! TensorBoard's event files: records with checksums, each a message in Protocol Buffers' format.
//!
//! A record is the length of the message in 8 bytes, the checksum of these, the message, and the checksum of that, all
//! little-endian. Each is written by one call, so that another program can read along, and a killed one leaves at most
//! its last record incomplete, which readers skip.

mod histogram;
mod messages;

use crate::files::FileError;
use messages::{Event, Histogram, Metadata, Plugin, Session, Summary, TextTensor, Value, event, value};
use prost::Message;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// An event file, open for more.
#[derive(Debug)]
pub(super) struct Events {
    path: PathBuf,
    file: File,
}

impl Events {
    /// Starts an event file in this folder, in addition to existing ones. TensorBoard then forgets their events of
    /// `step` and later ones, if given.
    pub(super) fn create(folder: &Path, step: Option<usize>) -> Result<Self, FileError> {
        // files are read in the order of their names: this one comes after those of a run that ended in the same second
        let others = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let last = others.filter_map(|entry| second_of(entry.file_name().to_str()?)).max();
        let second = last.map_or(0, |last| last.saturating_add(1)).max(now() as u64);
        let path = folder.join(format!("{NAME}{second:010}.taut.{}", std::process::id()));
        let made = OpenOptions::new().append(true).create_new(true).open(&path);
        let file = made.map_err(|error| FileError::system(&path, "cannot be made", error))?;
        let mut events = Events { path, file };
        events.write(0, event::What::FileVersion("brain.Event:2".to_string()))?;
        if let Some(step) = step {
            events.write(step, event::What::Session(Session { status: Session::START }))?;
        }
        Ok(events)
    }

    #[cfg(feature = "image")]
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Numbers of a step by name.
    pub(super) fn scalars(&mut self, step: usize, values: &[(String, f64)]) -> Result<(), FileError> {
        let values = values.iter().map(|(name, number)| Value::new(name, value::What::Scalar(*number as f32)));
        let values = values.collect();
        self.write(step, event::What::Summary(Summary { values }))
    }

    /// Histograms of numbers by name.
    pub(super) fn histograms(&mut self, step: usize, values: Vec<(String, Vec<f64>)>) -> Result<(), FileError> {
        let histograms = values.into_iter().map(|(name, values)| {
            let histogram = Histogram::of(values);
            Value::new(&name, value::What::Histogram(histogram))
        });
        let values = histograms.collect();
        self.write(step, event::What::Summary(Summary { values }))
    }

    /// A picture in the PNG format, of these sizes: channels, height, width.
    #[cfg(feature = "image")]
    pub(super) fn picture(
        &mut self,
        name: &str,
        step: usize,
        [colours, height, width]: [usize; 3],
        png: Vec<u8>,
    ) -> Result<(), FileError> {
        let [colours, height, width] = [colours, height, width].map(|size| i32::try_from(size).unwrap_or(i32::MAX));
        let picture = value::What::Picture(messages::Picture { height, width, colours, png });
        self.write(step, event::What::Summary(Summary { values: vec![Value::new(name, picture)] }))
    }

    /// A text in Markdown.
    pub(super) fn text(&mut self, name: &str, step: usize, text: &str) -> Result<(), FileError> {
        let plugin = Plugin { name: "text".to_string() };
        let tensor = TextTensor { kind: TextTensor::STRING, shape: Some(Default::default()), texts: vec![text.into()] };
        let metadata = Some(Metadata { plugin: Some(plugin) });
        let value = Value { metadata, ..Value::new(name, value::What::Text(tensor)) };
        self.write(step, event::What::Summary(Summary { values: vec![value] }))
    }

    fn write(&mut self, step: usize, what: event::What) -> Result<(), FileError> {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        let record = record(&Event { seconds: now(), step, what: Some(what) }.encode_to_vec());
        self.file.write_all(&record).map_err(|error| FileError::system(&self.path, "cannot be written", error))
    }
}

/// How the names of event files begin.
const NAME: &str = "events.out.tfevents.";

/// The second in the name of an event file.
fn second_of(name: &str) -> Option<u64> {
    name.strip_prefix(NAME)?.split('.').next()?.parse().ok()
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// A message with its length and its checksums.
fn record(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    let parts = [&length[..], &checksum(&length), message, &checksum(message)];
    parts.concat()
}

/// CRC-32C, rotated and offset, because a checksum of data that contains checksums would be weak.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::messages::Picture;
    use super::*;

    /// The same events by TensorBoard's own code: `tests/record/generate_events.py`.
    #[test]
    fn records_have_the_bytes_of_tensorboard() {
        let event = |step, what| record(&Event { seconds: 1.25, step, what: Some(what) }.encode_to_vec());
        let values = |values| event::What::Summary(Summary { values });
        let histogram = Histogram {
            smallest: -1.0,
            largest: 2.0,
            count: 3.0,
            sum: 1.5,
            sum_of_squares: 5.25,
            edges: vec![0.0, 1.0, 2.0],
            counts: vec![1.0; 3],
        };
        let picture = Picture { height: 2, width: 300, colours: 3, png: (0..=255).collect() };
        let text =
            TextTensor { kind: TextTensor::STRING, shape: Some(Default::default()), texts: vec!["größer".into()] };
        let plugin = Some(Plugin { name: "text".to_string() });
        let text = Value { metadata: Some(Metadata { plugin }), ..Value::new("text", value::What::Text(text)) };
        let scalars = [("train/loss", 0.5), ("nan", f32::NAN)];
        let scalars = scalars.map(|(name, number)| Value::new(name, value::What::Scalar(number)));
        let records = [
            event(0, event::What::FileVersion("brain.Event:2".to_string())),
            event(7, event::What::Session(Session { status: Session::START })),
            event(1, values(scalars.to_vec())),
            event(1 << 40, values(vec![Value::new("weights", value::What::Histogram(histogram))])),
            event(3, values(vec![Value::new("picture", value::What::Picture(picture))])),
            event(0, values(vec![text])),
        ];
        assert_eq!(records.concat(), include_bytes!("../../../tests/record/events.bin"));
    }
}
