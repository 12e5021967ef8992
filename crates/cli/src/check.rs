//! `mailverdict check`: a verdict for each message.

use crate::{
    EXIT_FAILURE,
    args::Check,
    evidence, explain,
    failure::Failure,
    hops::{NumberedHop, Way},
    html::{self, Page},
    input::parse,
    json,
    messages::{Messages, Numbered},
    page, print,
    report::Report,
    request, runtime,
    source::Source,
    style::{Style, printable},
    tell,
    told::Told,
};
use mailverdict::{
    Authenticator,
    change::changes,
    dmarc::{Disposition, DmarcResult},
    evidence::Evidence,
    json::Evaluated,
    spf::Observers,
};
use serde::Serialize;
use std::{
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    process::ExitCode,
};
use tokio::runtime::Runtime;

const EXIT_SUCCESS: u8 = 0;
/// With `--exit-verdict`: the domain owner asks to refuse the message.
const EXIT_REJECT: u8 = 1;
/// With `--exit-verdict`: DMARC holds unless SPF passes, which was not evaluated because the client is not known.
const EXIT_INCOMPLETE: u8 = 3;
/// With `--exit-verdict`: the domain owner asks to treat the message as suspicious.
const EXIT_QUARANTINE: u8 = 4;
/// With `--exit-verdict`: try again later; EX_TEMPFAIL of BSD's sysexits.
const EXIT_TEMPFAIL: u8 = 75;
/// Of several messages, the status that tells most stands for all.
const WORST_FIRST: [u8; 5] = [EXIT_FAILURE, EXIT_TEMPFAIL, EXIT_REJECT, EXIT_QUARANTINE, EXIT_INCOMPLETE];

/// Evaluates the messages and prints what was found out.
pub(crate) fn run(args: &Check) -> Result<ExitCode, Failure> {
    let authserv_id = request::authserv_id(args.authserv_id.as_deref(), args.client.receiver.as_ref())?;
    html::assert_free(args.html.as_deref(), &args.output)?;
    let source = Source::open(&args.source)?;
    if args.messages.is_empty() && io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "name a message, or give one on standard input; see mailverdict check --help".to_owned(),
        ));
    }
    let authenticator = Authenticator::new(source).with_policy(request::message_policy(&args.source, &args.rules));
    let mut run = Run { args, authserv_id, authenticator, runtime: runtime()?, pages: 0 };
    let mut paths: Vec<&Path> = args.messages.iter().map(PathBuf::as_path).collect();
    if paths.is_empty() {
        paths.push(Path::new("-"));
    }
    let mut worst = EXIT_SUCCESS;
    for path in paths {
        // One that cannot be read is told of and keeps none of the others back.
        for message in messages(path, args.raw) {
            let status = match message.and_then(|message| run.check(&message)) {
                Err(failure @ (Failure::Output(_) | Failure::Runtime(_))) => return Err(failure),
                Err(failure) => {
                    tell(&failure);
                    EXIT_FAILURE
                }
                Ok(status) => status,
            };
            worst = WORST_FIRST.into_iter().find(|of| [worst, status].contains(of)).unwrap_or(EXIT_SUCCESS);
        }
    }
    Ok(ExitCode::from(worst))
}

/// Those of a file, or why it cannot be opened.
fn messages(path: &Path, raw: bool) -> impl Iterator<Item = Result<Numbered, Failure>> {
    let (messages, failure) = match Messages::open(path, raw) {
        Ok(messages) => (Some(messages), None),
        Err(failure) => (None, Some(Err(failure))),
    };
    failure.into_iter().chain(messages.into_iter().flatten())
}

/// What all messages have in common.
struct Run<'a> {
    args: &'a Check,
    authserv_id: String,
    authenticator: Authenticator<Source>,
    runtime: Runtime,
    /// How many were printed.
    pages: u64,
}

impl Run<'_> {
    /// Evaluates a message and prints what was found out, under its name where there are several; the exit status.
    fn check(&mut self, numbered: &Numbered) -> Result<u8, Failure> {
        let Self { args, authserv_id, authenticator, runtime, pages } = self;
        let input = &numbered.input;
        for (option, file) in [("--evidence", &args.evidence), ("--html", &args.html)] {
            if file.is_some() && *pages > 0 {
                return Err(Failure::Usage(format!("{option} is of one message, and here are several")));
            }
        }
        let message = parse(&input.octets).map_err(|error| numbered.no_message(error))?;
        let name = (args.messages.len() > 1 || numbered.is_of_several()).then(|| numbered.name());
        let way = Way::of(&message, &args.way, args.ip).map_err(|failure| failure.about(name.as_deref()))?;
        let session = way.session(request::session(args.ip, &args.client, args.rules.at), args.rules.at);
        let mut trees = Observers::default();
        let evidence = args.evidence.as_deref().map(|path| {
            let (_, log) = runtime.block_on(authenticator.explain_all(&message, session.clone()));
            let policy = request::message_policy(&args.source, &args.rules);
            let mut evidence = Evidence::new(input.octets.as_slice(), session.clone(), policy, &log, ());
            evidence.authserv_id = Some(authserv_id.as_str().into());
            (path, evidence)
        });
        let (verdict, log) = match &evidence {
            None => runtime.block_on(authenticator.explain(&message, session.clone(), &mut trees)),
            // What is written is what is told.
            Some((_, evidence)) => {
                let replayed = evidence.replay(&evidence.answers, &mut trees);
                replayed.map_err(|error| numbered.no_message(error))?
            }
        };
        let mut report = Report::new(&message, &verdict, &session, &log, authserv_id);
        let settings = request::change_settings(authserv_id);
        report.evaluated.changes = Some(changes(&verdict, &message, &session, &log, &settings));
        let mut kept = Vec::new();
        match evidence {
            None => {}
            Some((path, evidence)) if args.redact => kept = evidence::write_redacted(path, evidence)?,
            Some((path, evidence)) => evidence::write(path, evidence, &Told::of(&report, &trees))?,
        }
        report.evaluated.add_findings(input.findings().chain(kept));
        if args.output.explain {
            report.steps = Some(explain::steps(&report, &trees));
        }
        report.shows_hops = args.hops;
        report.shows_headers = args.output.headers;
        report.way = Some(way);
        if let Some(path) = args.html.as_deref() {
            let page = Page { report: &report, trees: &trees, name: &numbered.title(), differences: None };
            page.write(path)?;
        }
        if args.html.as_deref().is_some_and(html::is_standard_output) {
            // The page stands there alone.
        } else if args.output.json {
            let way = report.way.as_ref();
            print(&json::to_line(&Line {
                file: name.as_deref(),
                client_taken: way.is_some_and(Way::is_client_taken),
                evaluated: &report.evaluated,
                hops: report.shown_hops().map(Way::numbered_hops),
                explain: report.steps.as_deref(),
            }))?;
        } else {
            let style = Style::of_stdout();
            let gap = if *pages > 0 { "\n" } else { "" };
            let heading = name.map(|name| format!("{}\n", style.bold(&printable(&name)))).unwrap_or_default();
            print(&format!("{gap}{heading}{}", page::text(&report, style)))?;
        }
        *pages += 1;
        Ok(if args.exit_verdict { exit_verdict(&report) } else { EXIT_SUCCESS })
    }
}

/// What is printed of one message.
#[derive(Serialize)]
struct Line<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'r str>,
    #[serde(flatten)]
    evaluated: &'r Evaluated<'r>,
    /// Whether nobody gave the client's address, and it was taken from Received.
    client_taken: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    hops: Option<Vec<NumberedHop<'r>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<&'r [String]>,
}

/// By DMARC's own disposition: an override is an offer, which the one who called may take from the output.
fn exit_verdict(report: &Report<'_>) -> u8 {
    let dmarc = &report.verdict.dmarc;
    match (&dmarc.result, dmarc.disposition) {
        (DmarcResult::TempError(_), _) => EXIT_TEMPFAIL,
        _ if report.wanted().is_some() => EXIT_INCOMPLETE,
        (_, Disposition::Reject) => EXIT_REJECT,
        (_, Disposition::Quarantine) => EXIT_QUARANTINE,
        (_, Disposition::None) => EXIT_SUCCESS,
    }
}
