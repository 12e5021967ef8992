//! The domains of standard input: a line of JSON for each, in their order.

use super::{EXIT_ERROR, EXIT_OPEN, Line, scope, status};
use crate::{EXIT_FAILURE, args::Lint as Args, failure::Failure, json, source::Source, standard, style::shortened};
use mailverdict::{lint::Lint, name::Domain};
use serde::Serialize;
use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read as _, Write as _},
    process::ExitCode,
    sync::Arc,
    thread::available_parallelism,
};
use tokio::task::JoinHandle;

/// Octets of a line: a domain has 253, and four times as many where it is not written in ASCII.
const MAX_LINE: u64 = 4096;
/// Domains that are looked at at the same time for each processor, where answers are at hand, and where they come over the network.
const AT_HAND: usize = 2;
const OVER_NETWORK: usize = 16;

/// What came of a line.
struct Found {
    line: Vec<u8>,
    status: u8,
}

/// What is printed of a line that is no domain.
#[derive(Serialize)]
struct Bad<'l> {
    domain: &'l str,
    error: String,
}

/// Looks at all of them, so many at a time; no more than that is in memory.
pub(super) fn run(args: &Args, lint: Lint<Source>) -> Result<ExitCode, Failure> {
    let processors = available_parallelism().map_or(1, usize::from);
    let at_a_time = processors * if args.source.zones.is_empty() { OVER_NETWORK } else { AT_HAND };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::Runtime)?;
    let lint = Arc::new(lint);
    let unreadable = |error| Failure::Unreadable { what: "domains from", path: "standard input".into(), error };
    let mut input = BufReader::new(standard::input().map_err(unreadable)?);
    let mut out = standard::output().map_err(Failure::Output)?;
    let mut begun: VecDeque<JoinHandle<Found>> = VecDeque::new();
    let mut worst = 0;
    let mut is_over = false;
    while !is_over || !begun.is_empty() {
        while !is_over && begun.len() < at_a_time {
            match line(&mut input).map_err(unreadable)? {
                None => is_over = true,
                Some(text) if text.is_empty() => {}
                Some(text) => begun.push_back(begin(args, &runtime, &lint, text)?),
            }
        }
        let Some(next) = begun.pop_front() else { continue };
        let Found { line, status } =
            runtime.block_on(next).map_err(|error| Failure::Runtime(io::Error::other(error)))?;
        worst = worse(worst, status);
        if !args.quiet {
            out.write_all(&line).map_err(Failure::Output)?;
        }
    }
    out.flush().map_err(Failure::Output)?;
    Ok(ExitCode::from(worst))
}

fn begin(
    args: &Args,
    runtime: &tokio::runtime::Runtime,
    lint: &Arc<Lint<Source>>,
    text: String,
) -> Result<JoinHandle<Found>, Failure> {
    let mut line = Vec::new();
    let domain = match Domain::parse(&text) {
        Ok(domain) => domain,
        Err(error) => {
            let error = format!("this is no domain: {error}");
            json::push_line(&mut line, &Bad { domain: &shortened(&text), error });
            return Ok(runtime.spawn(async { Found { line, status: EXIT_FAILURE } }));
        }
    };
    let (scope, lint) = (scope(args, domain)?, Arc::clone(lint));
    Ok(runtime.spawn(async move {
        let report = lint.look(&scope).await;
        json::push_line(&mut line, &Line::of(&report));
        Found { line, status: status(&report) }
    }))
}

/// The next line without white space around it; what is longer than any domain is cut.
fn line(input: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut text = Vec::new();
    if input.by_ref().take(MAX_LINE).read_until(b'\n', &mut text)? == 0 {
        return Ok(None);
    }
    if text.len() as u64 == MAX_LINE && !text.ends_with(b"\n") {
        input.skip_until(b'\n')?;
    }
    Ok(Some(String::from_utf8_lossy(text.trim_ascii()).into_owned()))
}

/// A name that is none, then what is open, then an error.
fn worse(one: u8, other: u8) -> u8 {
    [EXIT_FAILURE, EXIT_OPEN, EXIT_ERROR].into_iter().find(|status| [one, other].contains(status)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_their_bound_and_the_next_one_is_whole() {
        let long = "x".repeat(10_000);
        let text = format!("a.example\r\n{long}\n\n b.example ");
        let mut input = io::Cursor::new(text.as_bytes());
        let mut next = || line(&mut input).unwrap();
        assert_eq!(next().as_deref(), Some("a.example"));
        assert_eq!(next().unwrap().len(), 4096);
        assert_eq!(next().as_deref(), Some(""));
        assert_eq!(next().as_deref(), Some("b.example"));
        assert_eq!(next(), None);
    }

    #[test]
    fn the_worst_status_stands_for_all() {
        assert_eq!(worse(0, 0), 0);
        assert_eq!(worse(1, 0), 1);
        assert_eq!(worse(75, 1), 75);
        assert_eq!(worse(75, 2), 2);
    }
}
