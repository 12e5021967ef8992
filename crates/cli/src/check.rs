//! `mailverdict check`: one message in, one verdict out.

use crate::{
    args::Check,
    block_on, explain,
    failure::Failure,
    hops::Way,
    input::{no_message, parse, read_message},
    json, print,
    report::Report,
    request,
    source::Source,
    style::Style,
};
use mailverdict::{
    Authenticator,
    dmarc::{Disposition, DmarcResult},
    spf::Observers,
};
use std::process::ExitCode;

/// With `--exit-verdict`: the domain owner asks to refuse the message.
const EXIT_REJECT: u8 = 1;
/// With `--exit-verdict`: DMARC holds unless SPF passes, which was not evaluated because the client is not known.
const EXIT_INCOMPLETE: u8 = 3;
/// With `--exit-verdict`: the domain owner asks to treat the message as suspicious.
const EXIT_QUARANTINE: u8 = 4;
/// With `--exit-verdict`: try again later; EX_TEMPFAIL of BSD's sysexits.
const EXIT_TEMPFAIL: u8 = 75;

/// Evaluates the message and prints what was found out.
pub(crate) fn run(args: &Check) -> Result<ExitCode, Failure> {
    let authserv_id = request::authserv_id(args.authserv_id.as_deref(), args.client.receiver.as_ref())?;
    let source = Source::open(&args.source)?;
    let (octets, mixed_line_ends) = read_message(&args.message, args.raw)?;
    let message = parse(&octets).map_err(|error| no_message(&args.message, error))?;
    let way = Way::of(&message, &args.way, args.ip)?;
    let session = way.session(request::session(args.ip, &args.client, args.rules.at), args.rules.at);
    let policy = request::message_policy(&args.source, &args.rules);
    let authenticator = Authenticator::new(source).with_policy(policy);
    let mut trees = Observers::default();
    let (verdict, log) = block_on(authenticator.explain(&message, session.clone(), &mut trees))?;
    let mut report = Report::new(&message, &verdict, &session, &authserv_id);
    report.mixed_line_ends = mixed_line_ends;
    if args.output.explain {
        report.steps = Some(explain::steps(&message, &verdict, &trees, &log));
    }
    report.shows_hops = args.way.hops;
    report.way = Some(way);
    if args.output.json {
        print(&json::to_line(|to| json::message(to, &report)))?;
    } else {
        print(&report.to_text(Style::of_stdout()))?;
    }
    Ok(if args.exit_verdict { exit_verdict(&report) } else { ExitCode::SUCCESS })
}

/// By DMARC's own disposition: an override is an offer, which the one who called may take from the output.
fn exit_verdict(report: &Report<'_>) -> ExitCode {
    let dmarc = &report.verdict.dmarc;
    match (&dmarc.result, dmarc.disposition) {
        (DmarcResult::TempError(_), _) => ExitCode::from(EXIT_TEMPFAIL),
        _ if !report.is_complete(dmarc) => ExitCode::from(EXIT_INCOMPLETE),
        (_, Disposition::Reject) => ExitCode::from(EXIT_REJECT),
        (_, Disposition::Quarantine) => ExitCode::from(EXIT_QUARANTINE),
        (_, Disposition::None) => ExitCode::SUCCESS,
    }
}
