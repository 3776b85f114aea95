//! The folder that a program writes with `--record`.

use super::{Common, is_quiet};
use clap::Parser;
use serde_json::{Map, Value};
use taut::files::FileError;
use taut::prelude::*;
use taut::record::{BestModel, Run};

/// The record of a run. Without `--record`, nothing is written.
#[derive(Default)]
pub struct Recorder {
    writes: Option<(Run, BestModel)>,
}

impl Recorder {
    /// Starts a record, with the options of the program as its configuration. A program that trains several models
    /// gives each a `part` of the folder; the only one has "".
    ///
    /// # Errors
    /// If the folder holds a run already, or cannot be written.
    pub fn start<Options: Parser>(common: &Common, part: &str) -> Result<Self, FileError> {
        Self::start_or_resume::<Options>(common, part, None)
    }

    /// Continues a record at this step, if there is one, or else starts one.
    ///
    /// # Errors
    /// If an existing record is damaged, or the folder cannot be written; when starting, if it holds a run already.
    pub fn start_or_resume<Options: Parser>(
        common: &Common,
        part: &str,
        next_step: Option<usize>,
    ) -> Result<Self, FileError> {
        // of several processes, the first one writes
        let folder = common.record.as_ref().filter(|_| !is_quiet());
        let Some(folder) = folder else { return Ok(Recorder::default()) };
        let folder = if part.is_empty() { folder.clone() } else { folder.join(part.replace(' ', "-")) };
        let mut run = match next_step {
            Some(step) => Run::resume(folder, step)?,
            None => Run::create(folder)?,
        };
        run.configuration(&configuration::<Options>())?;
        let best = BestModel::in_file(run.best_path()).larger_is_better();
        Ok(Recorder { writes: Some((run, best)) })
    }

    /// Writes metrics of a step or an epoch.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn log<const N: usize>(&mut self, step: usize, metrics: [(&str, f64); N]) -> Result<(), FileError> {
        self.writes.as_mut().map_or(Ok(()), |(run, _)| run.log(step, metrics))
    }

    /// Saves the model if it is the one with the largest measurement so far.
    ///
    /// # Errors
    /// If it cannot be saved.
    pub fn best<M: Parameters>(&mut self, measured: f64, model: &M) -> Result<(), FileError> {
        self.writes.as_mut().map_or(Ok(()), |(_, best)| best.offer(model, measured).map(drop))
    }

    /// Saves the model as it is at the end.
    ///
    /// # Errors
    /// If it cannot be saved.
    pub fn last<M: Parameters>(&mut self, model: &M) -> Result<(), FileError> {
        let Some((run, _)) = &self.writes else { return Ok(()) };
        model.save(run.last_path())?;
        println!("the record is in {}", run.folder().display());
        Ok(())
    }
}

/// The options of this program, including those that were not given.
fn configuration<Options: Parser>() -> Map<String, Value> {
    let command = Options::command();
    let path = std::env::current_exe().unwrap_or_default();
    let program = ("program".to_string(), Value::from(path.file_stem().unwrap_or_default().to_string_lossy()));
    let names: Vec<String> = command.get_arguments().map(|argument| argument.get_id().to_string()).collect();
    let matches = command.get_matches();
    let options = names.into_iter().filter_map(|name| {
        let texts = matches.try_get_raw(&name).ok()??;
        let mut values: Vec<Value> = texts.map(|text| value(&text.to_string_lossy())).collect();
        let value = if values.len() == 1 { values.remove(0) } else { Value::Array(values) };
        Some((name, value))
    });
    [program].into_iter().chain(options).collect()
}

/// A number, `true` or `false`, or a text.
fn value(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
        _ => Value::from(text),
    }
}
