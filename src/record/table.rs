//! Metrics as a table: a row for each measurement, a column for each metric.

use super::lines::{Measurement, shortest};
use crate::files::{FileError, write_atomically};
use crate::numbers::special_name;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

/// The file's name in the folder of a run.
pub(super) const NAME: &str = "metrics.csv";

/// The CSV file of a run, open for more rows.
#[derive(Debug)]
pub(super) struct Table {
    path: PathBuf,
    file: File,
    columns: Vec<String>,
}

impl Table {
    /// Writes the whole table, replacing an existing one.
    pub(super) fn create(path: PathBuf, measurements: &[Measurement]) -> Result<Self, FileError> {
        let mut columns: Vec<String> = Vec::new();
        for (name, _) in measurements.iter().flat_map(|measurement| &measurement.values) {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        let header = ["step", "seconds"].into_iter().chain(columns.iter().map(String::as_str));
        let mut bytes = row(header);
        measurements.iter().for_each(|measurement| bytes.extend(cells(&columns, measurement)));
        write_atomically(&path, |file| file.write_all(&bytes))?;
        let opened = OpenOptions::new().append(true).open(&path);
        let file = opened.map_err(|error| FileError::system(&path, "cannot be opened", error))?;
        Ok(Table { path, file, columns })
    }

    /// Whether the metrics of a measurement all have columns.
    pub(super) fn has_columns(&self, measurement: &Measurement) -> bool {
        measurement.values.iter().all(|(name, _)| self.columns.contains(name))
    }

    /// Adds a row.
    pub(super) fn add(&mut self, measurement: &Measurement) -> Result<(), FileError> {
        let row = cells(&self.columns, measurement);
        self.file.write_all(&row).map_err(|error| FileError::system(&self.path, "cannot be written", error))
    }

    pub(super) fn path(&self) -> &PathBuf {
        &self.path
    }
}

/// The row of a measurement, with empty cells for the metrics it does not have.
fn cells(columns: &[String], measurement: &Measurement) -> Vec<u8> {
    let value = |column| {
        let found = measurement.values.iter().find(|(name, _)| name == column);
        found.map_or(String::new(), |&(_, value)| special_name(value).map_or_else(|| shortest(value), str::to_string))
    };
    let start = [measurement.step.to_string(), format!("{:.3}", measurement.seconds)];
    row(start.into_iter().chain(columns.iter().map(value)))
}

/// A line of the file.
fn row(cells: impl Iterator<Item = impl AsRef<[u8]>>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(cells).expect("memory can be written");
    writer.into_inner().expect("memory can be written")
}
