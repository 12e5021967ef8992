//! `mailverdict spf`: SPF alone, without a message.

use crate::{
    args::Spf,
    block_on,
    explain::{question_steps, spf_steps},
    failure::Failure,
    findings, json,
    page::{client, write_field, write_steps},
    print, request,
    rows::spf_rows,
    source::Source,
    style::{Style, Table, printable, wrapped},
};
use mailverdict::{
    Authenticator, Session,
    finding::Finding,
    json::{EvaluatedSpf, Inputs, VERSION},
    known::Log,
    spf::{Observers, SpfReports},
};
use serde::Serialize;
use std::{
    fmt::{self, Write as _},
    process::ExitCode,
};

/// Evaluates both identities and prints what was found out.
pub(crate) fn run(args: &Spf) -> Result<ExitCode, Failure> {
    if args.client.helo.is_none() && args.client.mail_from.is_none() {
        return Err(Failure::Usage("there is nothing to check: give --helo or --mail-from, or both".to_owned()));
    }
    let session = request::session(Some(args.ip), &args.client, args.at);
    let authenticator = Authenticator::new(Source::open(&args.source)?).with_policy(request::policy(&args.source));
    let mut trees = Observers::default();
    let (reports, log) = block_on(authenticator.explain_spf(&session, &mut trees))?;
    let steps = args.output.explain.then(|| {
        let mut steps = spf_steps(&reports, &trees);
        steps.extend(question_steps(&log));
        steps
    });
    let evaluated = EvaluatedSpf::new(&reports, &session, &log);
    let text = if args.output.json {
        json::to_line(&Line {
            version: VERSION,
            evaluated: Inputs::new(&reports, &session, Some(&log)),
            spf: &reports,
            findings: &evaluated.findings,
            explain: steps.as_deref(),
        })
    } else {
        let mut text = String::new();
        // Writing to a `String` cannot fail.
        let _ = write(&mut text, &reports, &session, (&evaluated.findings, &log), steps.as_deref());
        if let Some(field) = evaluated.received_spf.filter(|_| args.output.headers) {
            let _ = write_header(&mut text, &field);
        }
        text
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn write(
    out: &mut String,
    reports: &SpfReports,
    session: &Session,
    (found, log): (&[Finding], &Log),
    steps: Option<&[String]>,
) -> fmt::Result {
    let style = Style::of_stdout();
    writeln!(out, "{}\n", wrapped(&printable(&client(session, reports, false, None)), 0))?;
    let mut table = Table::default();
    spf_rows(&mut table, reports, session);
    table.write(out, style)?;
    findings::write(out, found, log, None, style)?;
    write_steps(out, steps, style)
}

/// The field that reports the results, ready to paste.
fn write_header(out: &mut String, field: &str) -> fmt::Result {
    writeln!(out, "\n{}", Style::of_stdout().bold("HEADER FIELD"))?;
    write_field(out, field)
}

/// What is printed for programs.
#[derive(Serialize)]
struct Line<'r> {
    version: u32,
    #[serde(flatten)]
    spf: &'r SpfReports,
    findings: &'r [Finding],
    evaluated: Inputs<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<&'r [String]>,
}
