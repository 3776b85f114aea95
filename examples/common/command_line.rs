//! Reading a command line into a program's own options.

use lexopt::prelude::*;

/// An option: its name, what stands for its value (nothing if it takes none), and what it means.
pub type Known = (&'static str, &'static str, &'static str);

/// Gives each option of the command line to `read`, which takes its value from the parser. `--help`, and what cannot be
/// understood, end the program.
pub fn read_options(
    about: &str,
    known: &[Known],
    mut read: impl FnMut(&str, &mut lexopt::Parser) -> Result<(), lexopt::Error>,
) {
    let mut parser = lexopt::Parser::from_env();
    let mut all = || -> Result<bool, lexopt::Error> {
        while let Some(argument) = parser.next()? {
            match argument {
                Short('h') | Long("help") => return Ok(false),
                Long(name) if known.iter().any(|(known, ..)| *known == name) => {
                    let name = name.to_string();
                    read(&name, &mut parser)?
                }
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(true)
    };
    match all() {
        Ok(true) => {}
        Ok(false) => {
            print!("{}", help(about, known));
            std::process::exit(0)
        }
        Err(error) => {
            eprintln!("error: {error}\n\n{}", help(about, known));
            std::process::exit(2)
        }
    }
}

/// The value of an option that counts something.
pub fn at_least_one(name: &str, parser: &mut lexopt::Parser) -> Result<usize, lexopt::Error> {
    match parser.value()?.parse()? {
        0 => Err(format!("--{name} 0: it must be at least 1").into()),
        count => Ok(count),
    }
}

fn help(about: &str, known: &[Known]) -> String {
    let mut text = format!("{about}\n\nOptions:\n");
    for (name, value, meaning) in known.iter().chain(&[("help", "", "print this")]) {
        text += &format!("  {:<20} {meaning}\n", format!("--{name} {value}"));
    }
    text
}
