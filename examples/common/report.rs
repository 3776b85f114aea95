//! The figures at the end of a program.

use serde_json::{Map, Value};

/// Figures by name, printed as a table and, if asked for, as one JSON object.
#[derive(Default)]
pub struct Report {
    figures: Vec<(String, Value)>,
}

impl Report {
    /// Adds a figure. An underscore in its name is a space in the table.
    pub fn add(&mut self, name: &str, value: impl Into<Value>) {
        self.figures.push((name.to_string(), value.into()));
    }

    /// Prints the table, and the JSON object on the last line if asked for.
    pub fn print(self, json: bool) {
        let width = self.figures.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        println!();
        for (name, value) in &self.figures {
            let shown = match value {
                Value::Number(number) if number.is_f64() => format!("{:.4}", number.as_f64().unwrap_or(f64::NAN)),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            println!("{:<width$}  {shown:>10}", name.replace('_', " "));
        }
        if json {
            println!("{}", Value::Object(self.figures.into_iter().collect::<Map<_, _>>()));
        }
    }
}
