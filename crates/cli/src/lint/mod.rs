//! `mailverdict lint`: what a domain publishes, before mail is sent.

mod many;
mod page;
mod progress;
pub(crate) mod words;

use crate::{
    args::Lint as Args, block_on, failure::Failure, html, json, messages::Messages, print, reports, request,
    source::Source,
};
use mailverdict::{
    Message,
    finding::Severity,
    json::VERSION,
    lint::{Lint, Report, Scope},
    name::Domain,
};
use serde::Serialize;
use std::process::ExitCode;

/// Something has no answer (EX_TEMPFAIL).
const EXIT_OPEN: u8 = 75;
/// A finding is an error.
const EXIT_ERROR: u8 = 1;
/// The place of a name that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// Looks at one domain, or at those of standard input, and prints what is found.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let lint = Lint::new(Source::open(&args.source)?).with_policy(request::policy(&args.source));
    if args.domain == STANDARD_INPUT {
        if !args.messages.is_empty() {
            return Err(Failure::Usage("--message goes with one domain, and not with those of standard input".into()));
        }
        if !args.reports.is_empty() {
            return Err(Failure::Usage("--report goes with one domain, and not with those of standard input".into()));
        }
        if args.html.is_some() {
            return Err(Failure::Usage("--html goes with one domain, and not with those of standard input".into()));
        }
        return many::run(args, lint);
    }
    let domain = Domain::parse(&args.domain)
        .map_err(|error| Failure::Usage(format!("\"{}\" is no domain: {error}", args.domain)))?;
    let scope = scope(args, domain)?;
    let report = block_on(progress::shown(&scope, lint.look(&scope)))?;
    if let Some(path) = &args.html {
        html::write_look(&report, path)?;
    }
    if args.html.as_deref().is_some_and(html::is_standard_output) {
        // It stands there in place of the text.
    } else if args.json {
        print(&json::to_line(&Line::of(&report)))?;
    } else if !args.quiet {
        print(&page::text(&report))?;
    }
    Ok(ExitCode::from(status(&report)))
}

/// A domain, and what the command line says of its mail.
fn scope(args: &Args, domain: Domain) -> Result<Scope, Failure> {
    let mut scope = Scope::of(domain);
    for selector in &args.selectors {
        let bad = |error| Failure::Usage(format!("--selector \"{selector}\" makes no name: {error}"));
        scope = scope.with_selector(selector).map_err(bad)?;
    }
    for path in &args.messages {
        for message in Messages::open(path, false)? {
            let message = message?;
            let parsed = Message::parse(&message.input.octets).map_err(|error| message.no_message(error))?;
            scope = scope.with_message(parsed.header());
        }
    }
    if !args.reports.is_empty() {
        scope = reports::keys(&args.reports, scope)?;
    }
    scope = args.senders.iter().fold(scope, |scope, ip| scope.with_sender(*ip));
    Ok(match args.at {
        Some(at) => scope.at(at),
        None => scope.at(mailverdict::Session::without_peer().received_at),
    })
}

fn status(report: &Report) -> u8 {
    if !report.is_complete() {
        EXIT_OPEN
    } else if report.findings.iter().any(|finding| finding.severity == Severity::Error) {
        EXIT_ERROR
    } else {
        0
    }
}

/// What is printed for programs.
#[derive(Serialize)]
struct Line<'r> {
    version: u32,
    #[serde(flatten)]
    report: &'r Report,
}

impl<'r> Line<'r> {
    fn of(report: &'r Report) -> Self {
        Self { version: VERSION, report }
    }
}
