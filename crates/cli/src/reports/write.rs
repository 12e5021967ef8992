//! `mailverdict report write`: reports of what `batch` or the mail filter printed.

use super::words::counted;
use crate::{
    args::ReportWrite as Args, block_on, failure::Failure, print, request, source::Source, standard, style::printable,
};
use mailverdict::{
    Authenticator,
    report::{Aggregator, Observation, ReportKind, Reporter, Topic, WrittenReport},
    time::UnixTime,
};
use serde::Deserialize;
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// A line could not be read.
const EXIT_SOME: u8 = 1;
/// Octets of a line.
const MAX_LINE: u64 = 64 << 20;
/// Rows that are kept in memory.
const MAX_ROWS: usize = 100_000;
/// Lines that cannot be read are told one by one, up to so many.
const MAX_TOLD: u64 = 10;

/// What a report needs of a line.
#[derive(Deserialize)]
struct Line {
    report: Option<Observation>,
    /// When the mail filter saw it.
    time: Option<UnixTime>,
}

/// What was read.
#[derive(Default)]
struct Count {
    messages: u64,
    outside: u64,
    bad: u64,
}

/// What ends the run.
enum Stop {
    Failure(Failure),
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    if args.begin > args.end {
        return Err(Failure::Usage("--begin is later than --end".to_owned()));
    }
    let mut reporter = Reporter::new(args.submitter.clone(), &args.org_name, &args.email, args.begin, args.end);
    reporter.extra_contact_info.clone_from(&args.contact);
    fs::create_dir_all(&args.out).map_err(|error| unwritable(&args.out, error))?;
    let authenticator = Authenticator::new(Source::open(&args.source)?).with_policy(request::policy(&args.source));
    let mut aggregator = Aggregator::new(args.out.clone(), MAX_ROWS);
    let count = add_lines(&mut aggregator, args)?;
    let mut told = String::new();
    let finished = aggregator.finish(|topic, rows| {
        let (report, path) = write_xml(&reporter, topic, rows, &args.out)?;
        told.push_str(&format!(
            "{}: {} in {}\n",
            printable(&report.file_name),
            counted(report.messages, "message"),
            counted(report.rows, "row")
        ));
        let addresses = destinations(&authenticator, topic, &mut told).map_err(Stop::Failure)?;
        for (number, address) in (1_u32..).zip(addresses) {
            let mail = path.with_extension(format!("{number}.eml"));
            write_mail(&reporter, topic, &report, &address, &path, &mail)
                .map_err(|error| Stop::Failure(unwritable(&mail, error)))?;
            told.push_str(&format!(
                "  to {}: {}\n",
                printable(&address),
                printable(&mail.file_name().unwrap_or_default().to_string_lossy())
            ));
        }
        Ok::<(), Stop>(())
    });
    finished.map_err(|stop| match stop {
        Stop::Failure(failure) => failure,
        Stop::Io(error) => unwritable(&args.out, error),
    })?;
    told.push_str(&remarks(&count));
    print(&told)?;
    Ok(ExitCode::from(if count.bad > 0 { EXIT_SOME } else { 0 }))
}

fn unwritable(path: &Path, error: io::Error) -> Failure {
    Failure::Unwritable { path: path.to_owned(), error }
}

fn remarks(count: &Count) -> String {
    let Count { messages, outside, bad } = count;
    let mut text = format!("{} reported\n", counted(*messages, "message"));
    for (number, says) in [(outside, "of another time, and left out"), (bad, "could not be read")] {
        if *number > 0 {
            text.push_str(&format!("{} {says}\n", counted(*number, "line")));
        }
    }
    text
}

/// Adds what each line tells.
fn add_lines(aggregator: &mut Aggregator, args: &Args) -> Result<Count, Failure> {
    let unreadable = |error| Failure::Unreadable { what: "results from", path: PathBuf::from("standard input"), error };
    let mut input = BufReader::new(standard::input().map_err(unreadable)?);
    let (mut line, mut count, mut number) = (Vec::new(), Count::default(), 0_u64);
    loop {
        line.clear();
        number += 1;
        let read = input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(unreadable)?;
        if read == 0 {
            return Ok(count);
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let parsed: Result<Line, String> =
            if line.ends_with(b"\n") || u64::try_from(read).unwrap_or(u64::MAX) < MAX_LINE {
                serde_json::from_slice(&line).map_err(|error| error.to_string())
            } else {
                skip_line(&mut input).map_err(unreadable)?;
                Err(format!("it is longer than {MAX_LINE} octets"))
            };
        match parsed {
            Ok(Line { time, .. }) if !is_within(time, args) => count.outside += 1,
            Ok(Line { report: None, .. }) => {}
            Ok(Line { report: Some(observation), .. }) => {
                count.messages = count.messages.saturating_add(observation.row.count);
                aggregator.add(observation).map_err(|error| unwritable(&args.out, error))?;
            }
            Err(error) => {
                count.bad += 1;
                if count.bad <= MAX_TOLD {
                    // Nothing more can be said where standard error is closed.
                    let _ = writeln!(io::stderr(), "mailverdict: line {number}: {}", printable(&error));
                }
            }
        }
    }
}

/// Passes over the rest of a line.
fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (end, len) = (memchr::memchr(b'\n', buffer), buffer.len());
        input.consume(end.map_or(len, |end| end + 1));
        if end.is_some() || len == 0 {
            return Ok(());
        }
    }
}

/// A line without a time is of whatever time the caller chose.
fn is_within(time: Option<UnixTime>, args: &Args) -> bool {
    time.is_none_or(|time| args.begin <= time && time <= args.end)
}

/// The report in its file, which has its name when it is whole.
fn write_xml(
    reporter: &Reporter,
    topic: &Topic,
    rows: &mut dyn Iterator<Item = io::Result<mailverdict::report::Row>>,
    folder: &Path,
) -> Result<(WrittenReport, PathBuf), Stop> {
    let beginning = folder.join(format!(".mailverdict-{}.xml", std::process::id()));
    let write = |rows| {
        let mut out = BufWriter::new(File::create(&beginning)?);
        let report = reporter.write(topic, rows, &mut out)?;
        out.flush()?;
        let path = folder.join(&report.file_name);
        fs::rename(&beginning, &path)?;
        io::Result::Ok((report, path))
    };
    write(rows).map_err(|error| {
        // It may not even be there.
        let _ = fs::remove_file(&beginning);
        Stop::Failure(unwritable(&beginning, error))
    })
}

fn write_mail(
    reporter: &Reporter,
    topic: &Topic,
    report: &WrittenReport,
    to: &str,
    xml: &Path,
    mail: &Path,
) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(mail)?);
    reporter.write_mail(topic, report, to, File::open(xml)?, &mut out)?;
    out.flush()
}

/// The addresses that have agreed, each once; why others get nothing.
fn destinations(
    authenticator: &Authenticator<Source>,
    topic: &Topic,
    told: &mut String,
) -> Result<Vec<String>, Failure> {
    let record = match topic.record() {
        Ok(record) => record,
        Err(error) => {
            told.push_str(&format!("  to nobody: {}\n", printable(&error.to_string())));
            return Ok(Vec::new());
        }
    };
    let found = block_on(authenticator.report_destinations(&record, ReportKind::Aggregate))?;
    let mut addresses: Vec<String> = Vec::new();
    for destination in &found {
        if destination.usable().is_empty() {
            let why = destination.permission.to_string();
            told.push_str(&format!("  not to {}: {}\n", printable(&destination.uri.uri), printable(&why)));
        }
        for uri in destination.usable() {
            match uri.address() {
                Some(address) if !addresses.contains(&address) => addresses.push(address),
                Some(_) => {}
                None => told.push_str(&format!("  not to {}: only mail is sent\n", printable(&uri.uri))),
            }
        }
    }
    if found.is_empty() {
        told.push_str("  to nobody: the record asks for no reports\n");
    }
    Ok(addresses)
}
