//! What the program says of itself: completions for shells, manual pages, and the schema of its JSON.

use crate::{
    args::{Arguments, SchemaOf},
    failure::Failure,
    print,
};
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use serde_json::{Map, Value};
use std::process::ExitCode;

const NAME: &str = "mailverdict";
const CHECK: &str = include_str!("../schema/check.schema.json");

/// Prints what a shell reads to complete the command line.
pub(crate) fn completions(shell: Shell) -> Result<ExitCode, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), NAME, &mut text);
    print(&String::from_utf8_lossy(&text))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the JSON Schema of what a command prints.
pub(crate) fn schema(of: SchemaOf) -> Result<ExitCode, Failure> {
    match of {
        SchemaOf::Check => print(CHECK)?,
        SchemaOf::Spf => print(&bundled(include_str!("../schema/spf.schema.json"))?)?,
        SchemaOf::Batch => print(&bundled(include_str!("../schema/batch.schema.json"))?)?,
        SchemaOf::Lint => print(include_str!("../schema/lint.schema.json"))?,
        SchemaOf::Preflight => print(include_str!("../schema/preflight.schema.json"))?,
        SchemaOf::Report => print(include_str!("../schema/report.schema.json"))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A schema with what it refers to: the definitions of that of `check`, and it itself as `check`.
fn bundled(schema: &str) -> Result<String, Failure> {
    let read = |text| serde_json::from_str::<Map<String, Value>>(text).map_err(|error| Failure::Output(error.into()));
    let (mut bundle, mut check) = (read(schema)?, read(CHECK)?);
    let mut definitions = check.remove("$defs").unwrap_or_default();
    for of_files in ["$schema", "title"] {
        check.remove(of_files);
    }
    if let Value::Object(definitions) = &mut definitions {
        definitions.insert("check".to_owned(), check.into());
    }
    bundle.insert("$defs".to_owned(), definitions);
    let text = serde_json::to_string_pretty(&bundle).map_err(|error| Failure::Output(error.into()))?;
    Ok(text + "\n")
}

/// Prints the manual page of the program, or of one of its commands.
pub(crate) fn page(words: &[String]) -> Result<ExitCode, Failure> {
    let mut program = Arguments::command().disable_help_subcommand(true);
    // So that each command knows the line that calls it.
    program.build();
    let (mut of, mut title) = (program, NAME.to_owned());
    for name in words {
        of = of.find_subcommand(name).cloned().ok_or_else(|| unknown(&of, name))?;
        title = format!("{title}-{name}");
    }
    let mut text = Vec::new();
    let version = format!("{NAME} {}", env!("CARGO_PKG_VERSION"));
    clap_mangen::Man::new(of).title(title).source(version).render(&mut text).map_err(Failure::Output)?;
    // What is behind the help has no name there, and examples have one in manual pages.
    print(&String::from_utf8_lossy(&text).replace(".SH EXTRA\nExamples:\n", ".SH EXAMPLES\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn unknown(program: &Command, name: &str) -> Failure {
    let known: Vec<&str> = program.get_subcommands().map(Command::get_name).collect();
    Failure::Usage(format!("there is no command \"{name}\"; there are {}", known.join(", ")))
}
