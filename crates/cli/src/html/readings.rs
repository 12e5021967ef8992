//! What reports say, as a page: mail by day and by source as pictures, then each source with its reason.

use super::{
    document::{Document, Section},
    text::{cut, cut_word},
    word::word_as,
};
use crate::{
    reports::{
        Hosts, Readings,
        words::{self, Kind},
    },
    style::printable,
};
use mailverdict::{
    report::{DomainSummary, Mail, SourceSummary},
    time::UnixTime,
};
use maud::{Markup, html};

/// Domains that are shown.
const MAX_DOMAINS: usize = 50;
/// Sources of one domain that are shown.
const MAX_SOURCES: usize = 200;
/// Sources that the picture shows.
const MAX_BARS: usize = 12;
/// Days that the picture shows, the latest.
const MAX_DAYS: usize = 62;
/// The size of the picture of days.
const WIDTH: u64 = 960;
const HEIGHT: u64 = 160;

/// The whole document.
pub(super) fn text(readings: &Readings, hosts: &Hosts) -> String {
    let domains: Vec<&DomainSummary> = readings.summary.domains().collect();
    let title = match domains.as_slice() {
        [domain] => format!("Mail of {}", printable(&domain.name)),
        _ => "Mail as receivers report it".to_owned(),
    };
    let top = html! {
        h1 { (cut(&title)) }
        @if domains.len() > MAX_DOMAINS { p { (domains.len() - MAX_DOMAINS) " more domains are not shown." } }
        @if readings.summary.duplicates() > 0 {
            p { (words::counted(readings.summary.duplicates(), "report")) " came more than once, and counted once." }
        }
        @if readings.findings > 0 {
            p {
                (words::counted(readings.findings, "departure")) " from the format in "
                (words::counted(readings.with_findings, "report")) "."
            }
        }
    };
    let shown = domains.iter().take(MAX_DOMAINS);
    let is_one = domains.len() == 1;
    let each = |of: &dyn Fn(&DomainSummary) -> Markup| {
        html! {
            @for domain in shown.clone() {
                @if !is_one { h3 { (cut_word(&printable(&domain.name))) } }
                (of(domain))
            }
        }
    };
    let section = |id, heading, content| Section { id, heading, content };
    let mut sections = Vec::new();
    if !domains.is_empty() {
        sections.push(section("result", "Result", each(&result)));
        sections.push(section("days", "By day", each(&days)));
        sections.push(section("sources", "By source", each(&bars)));
        sections.push(section("reasons", "Sources and reasons", each(&|domain| sources(domain, hosts))));
    }
    let lists = [
        ("failures", "Failure reports", readings.failures.iter().map(words::failure).collect::<Vec<_>>()),
        ("tls", "TLS reports", readings.tls.iter().flat_map(words::tls).collect()),
    ];
    for (id, heading, lines) in lists {
        if !lines.is_empty() {
            let content = html! { ul { @for line in &lines { li { (cut(&printable(line))) } } } };
            sections.push(section(id, heading, content));
        }
    }
    Document { title: format!("{title} - mailverdict"), top, sections }.into_text()
}

fn result(domain: &DomainSummary) -> Markup {
    html! {
        p.said { (cut(&printable(&words::result(&domain.mail)))) }
        p { (cut(&printable(&words::origin(domain)))) }
        table {
            thead { tr { th scope="col" { "Passes" } th scope="col" { "Messages" } } }
            tbody {
                @for (way, count) in words::ways(&domain.mail) {
                    tr { th scope="row" { (way) } td { (words::number(count)) } }
                }
                tr { th scope="row" { "not at all" } td { (words::number(domain.mail.failed())) } }
            }
        }
        p { (cut(&printable(&words::stopped(domain)))) }
        p { "Authenticated as:" }
        ul {
            @for (name, mail) in domain.by_authenticated().iter().take(MAX_BARS) {
                li { (cut_word(&printable(&words::authenticated(*name, mail)))) }
            }
        }
        @for overlap in &domain.overlaps {
            p {
                "Periods of " (cut_word(&printable(&overlap.reporter))) " overlap from " (overlap.begin.to_string()) " to "
                (overlap.end.to_string()) ": mail of that time may be counted twice."
            }
        }
    }
}

/// So many of the parts of a length.
fn share(part: u64, whole: u64, length: u64) -> u64 {
    let length = u128::from(part) * u128::from(length) / u128::from(whole.max(1));
    u64::try_from(length).unwrap_or(0)
}

/// A column for each day: what passes, and what fails on top of it.
fn days(domain: &DomainSummary) -> Markup {
    let skipped = domain.days.len().saturating_sub(MAX_DAYS);
    let days: Vec<(u64, &Mail)> = domain.days.iter().skip(skipped).map(|(day, mail)| (*day, mail)).collect();
    let most = days.iter().map(|(_, mail)| mail.messages).max().unwrap_or(0);
    let count = u64::try_from(days.len()).unwrap_or(1).max(1);
    let step = WIDTH / count;
    let (first, last) = (days.first(), days.last());
    let ends = first
        .zip(last)
        .map_or(String::new(), |((first, _), (last, _))| words::period(Some(UnixTime(*first)), Some(UnixTime(*last))));
    html! {
        p.muted {
            (ends) "; the longest column is " (words::counted(most, "message")) ". "
            span.key.passes { "passes" } " " span.key.fails { "fails" }
        }
        svg.days viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) aria-hidden="true" focusable="false" {
            @for (place, (_, mail)) in (0_u64..).zip(&days) {
                @let passed = share(mail.passed(), most, HEIGHT);
                @let failed = share(mail.failed(), most, HEIGHT).max(u64::from(mail.failed() > 0) * 2);
                @let x = place * step;
                @let width = step.saturating_sub(step / 5).max(1);
                rect.passes x=(x) y=(HEIGHT.saturating_sub(passed)) width=(width) height=(passed) {}
                rect.fails x=(x) y=(HEIGHT.saturating_sub(passed + failed)) width=(width) height=(failed) {}
            }
        }
        details {
            summary { "The same as a table" }
            table {
                thead { tr { th scope="col" { "Day" } th scope="col" { "Messages" } th scope="col" { "Pass" } th scope="col" { "Fail" } } }
                tbody {
                    @for (day, mail) in &days {
                        tr {
                            th scope="row" { (words::day(UnixTime(*day))) }
                            td { (words::number(mail.messages)) }
                            td { (words::number(mail.passed())) }
                            td { (words::number(mail.failed())) }
                        }
                    }
                }
            }
        }
    }
}

/// A bar for each of the largest sources.
fn bars(domain: &DomainSummary) -> Markup {
    let mut sources = domain.sources();
    sources.sort_by_key(|source| std::cmp::Reverse(source.mail.messages));
    let most = sources.first().map_or(0, |source| source.mail.messages);
    html! {
        table.bars {
            thead { tr { th scope="col" { "Source" } th scope="col" { "Messages" } } }
            tbody {
                @for source in sources.iter().take(MAX_BARS) {
                    @let passed = share(source.mail.passed(), most, 1000);
                    @let failed = share(source.mail.failed(), most, 1000);
                    tr {
                        th scope="row" { (cut_word(&printable(&words::name(source, None)))) }
                        td {
                            (words::number(source.mail.messages))
                            (words::failing(&source.mail))
                            svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
                                rect.passes x="0" y="0" width=(passed) height="10" {}
                                rect.fails x=(passed) y="0" width=(failed.max(u64::from(source.mail.failed() > 0) * 4)) height="10" {}
                            }
                        }
                    }
                }
            }
        }
        @if let Some(rest) = sources.get(MAX_BARS..).filter(|rest| !rest.is_empty()) {
            p.muted { (rest.len()) " smaller sources are not in this picture." }
        }
    }
}

fn sources(domain: &DomainSummary, hosts: &Hosts) -> Markup {
    let sources = domain.sources();
    let badge = |kind| match kind {
        Kind::Unknown => word_as("fails", "fail"),
        Kind::Mixed => word_as("mixed", "softfail"),
        Kind::Forwarder => word_as("forwarded", "neutral"),
        Kind::Known => word_as("passes", "pass"),
    };
    let item = |source: &&SourceSummary| {
        let host = source.client.and_then(|client| hosts.name(client));
        html! {
            li {
                p {
                    (badge(Kind::of(&source.mail))) " " (cut(&printable(&words::name(source, host)))) ": "
                    (words::counted(source.mail.messages, "message"))
                    (words::failing(&source.mail)) (words::seen(source, domain))
                }
                @for line in words::why(source, &domain.name) { p.muted { (cut(&printable(&line))) } }
            }
        }
    };
    html! {
        ul.findings { @for source in sources.iter().take(MAX_SOURCES) { (item(source)) } }
        @if let Some(rest) = sources.get(MAX_SOURCES..).filter(|rest| !rest.is_empty()) {
            p.muted { (rest.len()) " more sources are not shown." }
        }
    }
}
