//! Files of evidence: written by `check`, and evaluated again by `replay`.

use crate::{
    args::Replay,
    failure::Failure,
    hops::Way,
    html::{self, Page},
    json, page, print,
    report::Report,
    request::{self, NO_ID},
    style::{Style, printable, wrapped},
    told::{Difference, IN_WORDS, RECORDED, Told, differences, of_weight},
};
use mailverdict::{
    Message, Verdict,
    change::changes,
    dns::Zone,
    evidence::{Evidence, Recorded},
    finding::Finding,
    known::Log,
    spf::{Observers, Tree},
};
use serde::Serialize;
use serde_json::Value;
use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{Read as _, Write as _},
    path::Path,
    process::ExitCode,
};

/// Octets of a file of evidence: a message of the largest size in base64, with all that belongs to it.
const MAX_LEN: u64 = 512 << 20;
/// The verdict is not the recorded one.
const EXIT_DIFFERS: u8 = 1;
/// Differences that the page shows.
const MAX_SHOWN: usize = 40;

/// Writes the evidence without body and local parts, with the verdict that it leads to; what there is to know of that.
pub(crate) fn write_redacted(path: &Path, evidence: Evidence<()>) -> Result<Vec<Finding>, Failure> {
    let (evidence, findings) = evidence.redacted().map_err(|error| unusable(path, &error))?;
    let mut trees = Observers::default();
    let unreadable = |error: mailverdict::message::MessageError| Failure::Usage(error.to_string());
    let (verdict, log) = evidence.replay(&evidence.answers, &mut trees).map_err(unreadable)?;
    let shown = evidence.clone();
    let message = Message::parse(shown.message.octets()).map_err(unreadable)?;
    let report = report(&shown, &message, (&verdict, &log));
    write(path, evidence, &Told::of(&report, &trees))?;
    Ok(findings)
}

/// Writes the evidence, with what is told of the verdict that it leads to.
pub(crate) fn write(path: &Path, evidence: Evidence<()>, told: &Told<'_>) -> Result<(), Failure> {
    let octets = json::to_page(&evidence.with_verdict(told));
    let unwritable = |error| Failure::Unwritable { path: path.to_owned(), error };
    File::create(path).and_then(|mut file| file.write_all(octets.as_bytes())).map_err(unwritable)
}

/// Evaluates evidence again, prints what was found out, and in what it differs from what was recorded.
pub(crate) fn replay(args: &Replay) -> Result<ExitCode, Failure> {
    html::assert_free(args.html.as_deref(), &args.output)?;
    let mut evidence = read(&args.file)?;
    if let Some(at) = args.at {
        evidence.session = evidence.session.received_at(at);
    }
    let zone = Zone::read(&args.zones)?;
    let mut trees = Observers::<Tree>::default();
    let unusable = |error: mailverdict::message::MessageError| unusable(&args.file, &error);
    let (verdict, log) = if args.zones.is_empty() {
        evidence.replay::<Recorded, _>(&evidence.answers, &mut trees)
    } else {
        evidence.replay(&evidence.answers.overlaid(&zone), &mut trees)
    }
    .map_err(unusable)?;
    let message = Message::parse(evidence.message.octets()).map_err(unusable)?;
    let mut report = report(&evidence, &message, (&verdict, &log));
    report.way = Some(Way::recorded(&message));
    let told = Told::of(&report, &trees);
    let now = serde_json::to_value(&told).map_err(|error| Failure::Output(error.into()))?;
    let found = differences(&evidence.verdict, &now);
    if let Some(path) = args.html.as_deref() {
        let name = args.file.to_string_lossy();
        Page { report: &report, trees: &trees, name: &name, differences: Some(&found) }.write(path)?;
    }
    if args.html.as_deref().is_some_and(html::is_standard_output) {
        // The page stands there alone.
    } else if args.output.json {
        print(&json::to_line(&Line { told: &told, differences: &found }))?;
    } else {
        let style = Style::of_stdout();
        report.steps = args.output.explain.then_some(told.explain);
        report.shows_headers = args.output.headers;
        print(&(page::text(&report, style) + &shown(&found, style)))?;
    }
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_DIFFERS) })
}

/// What is told of the evidence: changes as well, where all of the message is there.
fn report<'e, V>(
    evidence: &'e Evidence<V>,
    message: &'e Message<'e>,
    (verdict, log): (&'e Verdict, &'e Log),
) -> Report<'e> {
    let mut report = Report::new(message, verdict, &evidence.session, log, authserv_id(evidence));
    if !evidence.message.is_whole() {
        return report.of_header();
    }
    let settings = request::change_settings(authserv_id(evidence));
    report.evaluated.changes = Some(changes(verdict, message, &evidence.session, log, &settings));
    report
}

/// The name by which the receiver reports.
fn authserv_id<V>(evidence: &Evidence<V>) -> &str {
    evidence.authserv_id.as_deref().unwrap_or(NO_ID)
}

fn read(path: &Path) -> Result<Evidence<Value>, Failure> {
    let unreadable = |error| Failure::Unreadable { what: "evidence", path: path.to_owned(), error };
    let file = File::open(path).map_err(unreadable)?;
    if fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Err(Failure::Evidence { path: path.to_owned(), error: "it is a directory".to_owned() });
    }
    let mut octets = Vec::new();
    file.take(MAX_LEN + 1).read_to_end(&mut octets).map_err(unreadable)?;
    if octets.len() as u64 > MAX_LEN {
        return Err(Failure::TooLarge { path: path.to_owned(), limit: MAX_LEN });
    }
    serde_json::from_slice(&octets).map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::Evidence { path: path.to_owned(), error: error.to_string() }
}

/// What is otherwise, for people.
fn shown(found: &[Difference], style: Style) -> String {
    if found.is_empty() {
        return format!("\n{RECORDED}\n");
    }
    let mut text = format!("\n{}\n", style.bold("OTHERWISE THAN RECORDED"));
    let told = of_weight(found);
    for Difference { path, recorded, now } in told.iter().take(MAX_SHOWN) {
        let line = printable(&format!("{path}: {recorded} -> {now}"));
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "  {}", wrapped(&line, 2));
    }
    if let Some(more) = told.len().checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(text, "  and {more} more; see --json");
    }
    if told.is_empty() {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "  {IN_WORDS}");
    }
    text
}

/// What is printed for programs.
#[derive(Serialize)]
struct Line<'t> {
    #[serde(flatten)]
    told: &'t Told<'t>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    differences: &'t [Difference],
}
