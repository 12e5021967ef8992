//! `mailverdict check`: a verdict for each message.

use crate::{
    EXIT_FAILURE,
    args::Check,
    explain,
    failure::Failure,
    hops::{NumberedHop, Way},
    input::{no_message, parse, read_message},
    json, page, print,
    report::Report,
    request, runtime,
    source::Source,
    style::{Style, printable},
    tell,
};
use mailverdict::{
    Authenticator,
    dmarc::{Disposition, DmarcResult},
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
    let source = Source::open(&args.source)?;
    let authenticator = Authenticator::new(source).with_policy(request::message_policy(&args.source, &args.rules));
    let run = Run { args, authserv_id, authenticator, runtime: runtime()? };
    let status = match args.messages.as_slice() {
        [] if io::stdin().is_terminal() => {
            return Err(Failure::Usage(
                "name a message, or give one on standard input; see mailverdict check --help".to_owned(),
            ));
        }
        [] => run.check(Path::new("-"), None)?,
        [path] => run.check(path, None)?,
        paths => run.check_each(paths)?,
    };
    Ok(ExitCode::from(status))
}

/// What all messages have in common.
struct Run<'a> {
    args: &'a Check,
    authserv_id: String,
    authenticator: Authenticator<Source>,
    runtime: Runtime,
}

impl Run<'_> {
    /// One after the other, each with its name. One that cannot be read is told of and keeps none of the others back.
    fn check_each(&self, paths: &[PathBuf]) -> Result<u8, Failure> {
        let mut statuses = Vec::new();
        for (place, path) in paths.iter().enumerate() {
            match self.check(path, Some(place)) {
                Ok(status) => statuses.push(status),
                Err(failure @ (Failure::Output(_) | Failure::Runtime(_))) => return Err(failure),
                Err(failure) => {
                    tell(&failure);
                    statuses.push(EXIT_FAILURE);
                }
            }
        }
        let worst = WORST_FIRST.into_iter().find(|status| statuses.contains(status));
        Ok(worst.unwrap_or_default())
    }

    /// Evaluates a message and prints what was found out; the exit status. `place` is that among several.
    fn check(&self, path: &Path, place: Option<usize>) -> Result<u8, Failure> {
        let Self { args, authserv_id, authenticator, runtime } = self;
        let input = read_message(path, args.raw)?;
        let message = parse(&input.octets).map_err(|error| no_message(path, error))?;
        let way = Way::of(&message, &args.way, args.ip)?;
        let session = way.session(request::session(args.ip, &args.client, args.rules.at), args.rules.at);
        let mut trees = Observers::default();
        let (verdict, log) = runtime.block_on(authenticator.explain(&message, session.clone(), &mut trees));
        let mut report = Report::new(&message, &verdict, &session, &log, authserv_id);
        report.evaluated.add_findings(input.findings());
        if args.output.explain {
            report.steps = Some(explain::steps(&message, &verdict, &trees, &log));
        }
        report.shows_hops = args.way.hops;
        report.shows_headers = args.output.headers;
        report.way = Some(way);
        let name = path.to_string_lossy();
        if args.output.json {
            let way = report.way.as_ref();
            print(&json::to_line(&Line {
                file: place.map(|_| &*name),
                client_taken: way.is_some_and(Way::is_client_taken),
                evaluated: &report.evaluated,
                hops: report.shown_hops().map(Way::numbered_hops),
                explain: report.steps.as_deref(),
            }))?;
        } else {
            let style = Style::of_stdout();
            let heading = match place {
                None => String::new(),
                Some(0) => format!("{}\n", style.bold(&printable(&name))),
                Some(_) => format!("\n{}\n", style.bold(&printable(&name))),
            };
            print(&(heading + &page::text(&report, style)))?;
        }
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
        _ if !report.is_complete(dmarc) => EXIT_INCOMPLETE,
        (_, Disposition::Reject) => EXIT_REJECT,
        (_, Disposition::Quarantine) => EXIT_QUARANTINE,
        (_, Disposition::None) => EXIT_SUCCESS,
    }
}
