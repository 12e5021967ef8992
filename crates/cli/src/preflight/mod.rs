//! `mailverdict preflight`: whether mail would pass, before it is sent.

mod page;

use crate::{
    args::Preflight as Args, block_on, failure::Failure, json, messages::Messages, print, request, source::Source,
};
use mailverdict::{
    Session,
    json::VERSION,
    preflight::{Plan, PlanError, Preflight, Report},
};
use serde::Serialize;
use std::process::ExitCode;

/// Something has no answer (EX_TEMPFAIL).
const EXIT_OPEN: u8 = 75;
/// The mail would not pass, or lacks what each sender has to have.
const EXIT_UNMET: u8 = 1;

/// Evaluates the mail that the command line plans, and prints what would come of it.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let plan = plan(args)?;
    let preflight = Preflight::new(Source::open(&args.source)?).with_policy(request::policy(&args.source));
    let report = block_on(preflight.look(&plan))?;
    if args.json {
        print(&json::to_line(&Line { version: VERSION, report: &report }))?;
    } else {
        print(&page::text(&plan, &report))?;
    }
    Ok(ExitCode::from(status(&report)))
}

fn plan(args: &Args) -> Result<Plan, Failure> {
    let bad = |option: &str| {
        let option = option.to_owned();
        move |error: PlanError| Failure::Usage(format!("{option}: {error}"))
    };
    let mut plan = Plan::new(&args.from, args.ip).map_err(bad("--from"))?;
    if let Some(mail_from) = &args.mail_from {
        plan = plan.with_mail_from(mail_from);
    }
    if let Some(helo) = &args.helo {
        plan = plan.with_helo(helo);
    }
    for key in &args.signatures {
        let Some((domain, selector)) = key.split_once('/') else {
            return Err(Failure::Usage(format!("--sign \"{key}\": expected DOMAIN/SELECTOR")));
        };
        plan = plan.with_signature(domain, selector).map_err(bad("--sign"))?;
    }
    if let Some(path) = &args.message {
        let mut messages = Messages::open(path, false)?;
        let message = messages.next().transpose()?;
        if let Some(message) = &message {
            plan = plan.with_message(&message.input.octets).map_err(|error| match error {
                PlanError::Message(error) => message.no_message(error),
                error => Failure::Usage(format!("--message {}: {error}", message.title())),
            })?;
        }
        if messages.next().is_some() {
            return Err(Failure::Usage(format!(
                "--message {}: expected one message, and there are several",
                path.display()
            )));
        }
    }
    Ok(plan.at(args.at.unwrap_or_else(|| Session::without_peer().received_at)))
}

fn status(report: &Report) -> u8 {
    let is_unmet = |requirement: &mailverdict::preflight::Requirement| {
        !requirement.is_bulk_only && requirement.is_met == Some(false)
    };
    match report.direct.dmarc() {
        _ if !report.is_complete() => EXIT_OPEN,
        "fail" | "permerror" => EXIT_UNMET,
        _ if report.requirements.iter().any(is_unmet) => EXIT_UNMET,
        _ => 0,
    }
}

/// What is printed for programs.
#[derive(Serialize)]
struct Line<'r> {
    version: u32,
    #[serde(flatten)]
    report: &'r Report,
}
