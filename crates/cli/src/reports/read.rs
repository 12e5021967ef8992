//! `mailverdict report read`.

use super::{csv, files, hosts::Hosts, line, readings::Readings, text};
use crate::{args::ReportRead as Args, failure::Failure, html, json, print, standard, style::printable};
use mailverdict::report::{Found, ReadError, ReadLimits, Report};
use std::{
    io::{self, BufWriter, Write},
    process::ExitCode,
};

/// Some of it could not be read.
const EXIT_SOME: u8 = 1;
/// Nothing could be read.
const EXIT_NONE: u8 = 2;

/// What ends the run.
enum Stop {
    Failure(Failure),
    /// A report that was read once cannot be read again.
    Changed(ReadError),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Changed(error)
    }
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let is_taken = args.html.as_deref().is_some_and(html::is_standard_output);
    if is_taken && (args.json || args.csv) {
        return Err(Failure::Usage("--html - and --json or --csv both write to standard output".to_owned()));
    }
    let limits = ReadLimits { unpacked: args.max_unpacked, ..ReadLimits::default() };
    let mut out = BufWriter::new(standard::output().map_err(Failure::Output)?);
    let mut readings = Readings::default();
    let (mut failed, wants_text) = (0_u64, !args.json && !args.csv && !is_taken);
    if args.csv {
        write!(out, "{}\r\n", csv::NAMES).map_err(Failure::Output)?;
    }
    files::each(&args.paths, limits, &mut |file, found| {
        let error = match &found {
            Ok(Found { report: Err(error), .. }) => Some(error.to_string()),
            Err(error) => Some(error.clone()),
            Ok(_) => None,
        };
        if let Some(error) = error {
            failed += 1;
            if !args.json {
                tell(file, &error);
            }
        } else {
            readings.read += 1;
        }
        if args.json {
            json::write_line(&mut out, &line::of(file, &found)).map_err(Failure::Output)?;
        }
        let Ok(Found { report: Ok(report), .. }) = &found else { return Ok(()) };
        let added = add(&mut readings, file, report, args, &mut out);
        added.or_else(|stop| match stop {
            Stop::Failure(failure) => Err(failure),
            Stop::Changed(error) => {
                failed += 1;
                tell(file, &error.to_string());
                Ok(())
            }
        })
    })?;
    out.flush().map_err(Failure::Output)?;
    if wants_text || args.html.is_some() {
        let hosts = Hosts::of(&readings.clients(), args)?;
        if let Some(path) = &args.html {
            html::write_readings(&readings, &hosts, path)?;
        }
        if wants_text && readings.read > 0 {
            print(&text::text(&readings, &hosts))?;
        }
    }
    Ok(ExitCode::from(match (readings.read, failed) {
        (0, _) => EXIT_NONE,
        (_, 0) => 0,
        (_, _) => EXIT_SOME,
    }))
}

/// What cannot be read, on standard error.
fn tell(file: &str, error: &str) {
    // Nothing more can be said where standard error is closed.
    let _ = writeln!(io::stderr(), "mailverdict: {}", printable(&format!("{file}: {error}")));
}

/// Adds a report to the others; its rows are printed where they are wanted as CSV.
fn add(
    readings: &mut Readings,
    file: &str,
    report: &Report<'_>,
    args: &Args,
    out: &mut impl Write,
) -> Result<(), Stop> {
    match report {
        Report::Aggregate(report) => {
            readings.add_findings(&report.findings);
            let wants_sum = !args.json && !args.csv || args.html.is_some();
            if !readings.summary.begin(&report.about) || !wants_sum && !args.csv {
                return Ok(());
            }
            report.for_each_row(|row| {
                if wants_sum {
                    readings.summary.add(&report.about, &row);
                }
                if args.csv {
                    let line = csv::line(file, &report.about, &row);
                    out.write_all(line.as_bytes()).map_err(|error| Stop::Failure(Failure::Output(error)))?;
                }
                Ok(())
            })
        }
        Report::Failure(report) => {
            readings.add_failure(report);
            Ok(())
        }
        Report::Tls(report) => {
            readings.add_tls(report);
            Ok(())
        }
        _ => Ok(()),
    }
}
