//! `mailverdict spf`: SPF alone, without a message.

use crate::{
    args::Spf,
    block_on,
    explain::{question_steps, spf_steps},
    failure::Failure,
    findings, json,
    page::{client, write_field, write_steps},
    print,
    report::received_spf,
    request,
    rows::spf_rows,
    source::Source,
    style::{Style, Table, printable},
};
use mailverdict::{
    Authenticator, Session,
    finding::{Finding, findings_of_spf},
    known::Log,
    spf::{Observers, SpfReports},
};
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
    let found = findings_of_spf(&reports, &session, &log);
    let text = if args.output.json {
        json::to_line(|to| {
            json::spf(to, &reports);
            json::findings(to, &found);
            steps.iter().for_each(|steps| json::explanation(to, steps));
        })
    } else {
        let mut text = String::new();
        // Writing to a `String` cannot fail.
        let _ = write(&mut text, &reports, &session, (&found, &log), steps.as_deref());
        if args.output.headers {
            let _ = write_header(&mut text, &reports, &session);
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
    writeln!(out, "{}\n", printable(&client(session, reports, false, None)))?;
    let mut table = Table::default();
    spf_rows(&mut table, reports, session);
    table.write(out, style)?;
    findings::write(out, found, log, style)?;
    write_steps(out, steps, style)
}

/// The field that reports the results, ready to paste.
fn write_header(out: &mut String, reports: &SpfReports, session: &Session) -> fmt::Result {
    let Some(field) = received_spf(reports, session) else { return Ok(()) };
    writeln!(out, "\n{}", Style::of_stdout().bold("HEADER FIELD"))?;
    write_field(out, &field)
}
