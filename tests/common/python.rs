//! Python, if there is one: what it writes is read here, and the other way round.

use std::process::Command;

/// The Python that `TAUT_PYTHON` names, to run this script under `tests/`, if it has this module. Otherwise says so.
pub fn python(module: &str, script: &str) -> Option<Command> {
    let command = std::env::var_os("TAUT_PYTHON").filter(|python| {
        let mut import = Command::new(python);
        import.args(["-c", &format!("import {module}")]).output().is_ok_and(|output| output.status.success())
    });
    let Some(python) = command else {
        println!("skipped: TAUT_PYTHON does not name a Python that has {module}");
        return None;
    };
    let mut command = Command::new(python);
    command.arg(format!("{}/tests/{script}", env!("CARGO_MANIFEST_DIR")));
    Some(command)
}
