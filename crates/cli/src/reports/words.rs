//! The sentences about sources, the same in the terminal and on a page.

use mailverdict::{
    report::{DomainSummary, FailureReport, Mail, SourceSummary, TlsReport},
    time::UnixTime,
};
use std::fmt::Write as _;

/// Names that are told in a sentence.
const MAX_NAMES: usize = 3;

/// Whether anything vouches for a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// None of its mail passes.
    Unknown,
    /// Some of it does.
    Mixed,
    /// All of it passes, by DKIM alone where SPF fails.
    Forwarder,
    /// All of it passes.
    Known,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Unknown, Self::Mixed, Self::Forwarder, Self::Known];

    pub(crate) fn of(mail: &Mail) -> Self {
        if mail.passed() == 0 {
            Self::Unknown
        } else if mail.failed() > 0 {
            Self::Mixed
        } else if mail.forwarded.saturating_mul(2) > mail.messages {
            Self::Forwarder
        } else {
            Self::Known
        }
    }

    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Unknown => "SOURCES OF WHICH NOTHING PASSES",
            Self::Mixed => "SOURCES OF WHICH SOME PASSES",
            Self::Forwarder => "FORWARDED MAIL (DKIM PASSES, SPF FAILS)",
            Self::Known => "SOURCES OF WHICH ALL PASSES",
        }
    }
}

/// `1,234`.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 message`, `1,234 messages`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", number(count), if count == 1 { "" } else { "s" })
}

/// The share in percent, with one digit behind the point; never 100.0 where something is missing, nor 0.0 where something is there.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    let thousandths = u128::from(part) * 1000 / u128::from(whole.max(1));
    let thousandths = if thousandths == 0 && part > 0 { 1 } else { thousandths };
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

/// `2026-11-01`.
pub(crate) fn day(time: UnixTime) -> String {
    let text = time.to_string();
    text.split_once('T').map_or(text.clone(), |(day, _)| day.to_owned())
}

/// `2026-11-01 to 2026-11-07`.
pub(crate) fn period(begin: Option<UnixTime>, end: Option<UnixTime>) -> String {
    match (begin, end) {
        (Some(begin), Some(end)) if day(begin) == day(end) => day(begin),
        (Some(begin), Some(end)) => format!("{} to {}", day(begin), day(end)),
        (Some(time), None) | (None, Some(time)) => day(time),
        (None, None) => "on a day that is not told".to_owned(),
    }
}

/// Who reported, and the policy that was seen.
pub(crate) fn origin(domain: &DomainSummary) -> String {
    let mut reporters: Vec<_> = domain.reporters.iter().collect();
    reporters.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let named = reporters.iter().take(MAX_NAMES).map(|(name, count)| {
        let name = if name.is_empty() { "somebody without a name" } else { name };
        format!("{name} ({count})")
    });
    let mut named: Vec<String> = named.collect();
    if reporters.len() > MAX_NAMES {
        let others = reporters.len() - MAX_NAMES;
        named.push(format!("{others} other{}", if others == 1 { "" } else { "s" }));
    }
    let policy = domain.policy.p.map_or("none that could be read".to_owned(), |p| format!("p={}", p.keyword()));
    format!(
        "{} of {}, by {}; policy: {policy}",
        counted(domain.reports, "report"),
        period(domain.begin, domain.end),
        named.join(", ")
    )
}

/// What passes, and by what.
pub(crate) fn result(mail: &Mail) -> String {
    let failed = match mail.failed() {
        0 => "none fails".to_owned(),
        1 => "1 fails".to_owned(),
        failed => format!("{} fail", number(failed)),
    };
    format!(
        "{}: {} pass DMARC ({}), {failed}",
        counted(mail.messages, "message"),
        number(mail.passed()),
        percent(mail.passed(), mail.messages)
    )
}

/// How much of it fails: nothing, `, 12 fail`, or `, all fail`.
pub(crate) fn failing(mail: &Mail) -> String {
    match mail.failed() {
        0 => String::new(),
        failed if failed == mail.messages => ", all fail".to_owned(),
        1 => ", 1 fails".to_owned(),
        failed => format!(", {} fail", number(failed)),
    }
}

/// As whom mail is authenticated, with how much of it fails.
pub(crate) fn authenticated(name: Option<&str>, mail: &Mail) -> String {
    format!("{}: {}{}", name.unwrap_or("nobody"), counted(mail.messages, "message"), failing(mail))
}

/// When a source was seen, where that is not all the time.
pub(crate) fn seen(source: &SourceSummary, domain: &DomainSummary) -> String {
    let first = source.begin.filter(|begin| domain.begin.is_some_and(|first| *begin > first));
    let last = source.end.filter(|end| domain.end.is_some_and(|last| *end < last));
    match (first, last) {
        (Some(first), Some(last)) => format!(", {}", period(Some(first), Some(last))),
        (Some(first), None) => format!(", from {} on", day(first)),
        (None, Some(last)) => format!(", until {}", day(last)),
        (None, None) => String::new(),
    }
}

/// By what mail passes, each way with its number; ways that nothing goes are left out.
pub(crate) fn ways(mail: &Mail) -> Vec<(&'static str, u64)> {
    let ways = [
        ("by DKIM and SPF", mail.by_both),
        ("by DKIM alone", mail.by_dkim),
        ("by DKIM alone, forwarded", mail.forwarded),
        ("by SPF alone", mail.by_spf),
    ];
    ways.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// What a stricter policy would have stopped.
pub(crate) fn stopped(domain: &DomainSummary) -> String {
    let mail = &domain.mail;
    let failed = mail.failed();
    if failed == 0 {
        return "p=quarantine or p=reject would have stopped nothing.".to_owned();
    }
    let vouched: u64 = domain
        .sources()
        .iter()
        .filter(|source| Kind::of(&source.mail) != Kind::Unknown)
        .map(|source| source.mail.failed())
        .fold(0, u64::saturating_add);
    let mut text = format!(
        "p=quarantine would have put {} aside, p=reject would have refused as many",
        counted(failed, "message")
    );
    // To write to memory never fails.
    let _ = match vouched {
        0 => write!(text, ": all of sources of which nothing passes."),
        _ => write!(
            text,
            ": {} of sources of which nothing passes, {} of others.",
            number(failed.saturating_sub(vouched)),
            number(vouched)
        ),
    };
    let done = [("put aside", mail.quarantined), ("refused", mail.rejected)];
    let done = done.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{what} {}", number(*count)));
    let done: Vec<String> = done.collect();
    if !done.is_empty() {
        let _ = write!(text, " Receivers {}.", done.join(", and "));
    }
    text
}

/// The name of a source: its network, and as whom its mail is authenticated.
pub(crate) fn name(source: &SourceSummary, host: Option<&str>) -> String {
    let network = source.network.map_or("addresses that cannot be read".to_owned(), |network| network.to_string());
    let host = match (source.client, host) {
        (Some(client), Some(host)) => format!(" ({client}, {host})"),
        (Some(client), None) => format!(" ({client})"),
        (None, _) => String::new(),
    };
    let authenticated = source.authenticated.as_deref();
    format!(
        "{network}{host}, {}",
        authenticated.map_or("authenticated as nobody".to_owned(), |domain| format!("authenticated as {domain}"))
    )
}

/// Why mail of a source fails, or what is missing where it passes, and what to do.
pub(crate) fn why(source: &SourceSummary, domain: &str) -> Vec<String> {
    let author = match source.header_from.iter().next() {
        Some(author) if source.header_from.len() == 1 => author,
        _ => domain,
    };
    let mail = &source.mail;
    let mut said = Vec::new();
    match Kind::of(mail) {
        Kind::Forwarder => {
            said.push(
                "DKIM passes and SPF does not, as it is where mail is forwarded: nothing is to be done.".to_owned(),
            );
        }
        Kind::Known if mail.by_dkim > 0 && mail.by_both == 0 => {
            let spf = names(source.spf_pass.iter().map(|domain| &**domain));
            said.push(if spf.is_empty() {
                "DKIM passes; SPF gave no aligned pass.".to_owned()
            } else {
                format!("DKIM passes; SPF passes for {spf}, which is not aligned: DKIM alone carries this mail.")
            });
        }
        Kind::Known if mail.by_spf > 0 && mail.by_both == 0 => {
            let dkim = dkim(source, author);
            said.push(format!("SPF passes; {dkim}: where this mail is forwarded it fails. Sign with d={author}."));
        }
        Kind::Known => {}
        Kind::Unknown | Kind::Mixed => {
            let (spf, dkim) = (spf(source, author), dkim(source, author));
            said.push(format!("{}; {dkim}.", capital(&spf)));
            let was_changed = source.dkim_other.keys().any(|(domain, _)| **domain == *author);
            said.push(match &source.authenticated {
                Some(_) if was_changed => format!(
                    "A signature of {author} is there and does not verify: mail was changed on its way, as mailing lists change it, or the \
                     key is not the published one."
                ),
                Some(_) => format!(
                    "If it sends for you, sign with d={author}, or let MAIL FROM be of {author}. Else nothing is to be done."
                ),
                None if Kind::of(mail) == Kind::Mixed => {
                    format!("Some of it is yours: sign all of it with d={author}. Mail that is changed on its way fails as well.")
                }
                None => format!(
                    "If it is yours, sign with d={author} and list it in the SPF record of {author}. If not, a policy of reject stops it."
                ),
            });
        }
    }
    if !source.reasons.is_empty() {
        let reasons: Vec<&str> = source.reasons.iter().map(|reason| reason.keyword()).collect();
        said.push(format!("Receivers made exceptions: {}.", reasons.join(", ")));
    }
    said
}

/// What SPF says of it.
fn spf(source: &SourceSummary, author: &str) -> String {
    if let Some(says) = unaligned("SPF", source.spf_pass.iter().map(|domain| &**domain).collect(), author) {
        return says;
    }
    let other: Vec<String> = source
        .spf_other
        .iter()
        .take(MAX_NAMES)
        .map(|(domain, result)| format!("{result} for {}", named(domain)))
        .collect();
    if other.is_empty() { "nothing is told of SPF".to_owned() } else { format!("SPF is {}", other.join(", ")) }
}

/// What DKIM says of it.
fn dkim(source: &SourceSummary, author: &str) -> String {
    let mut domains: Vec<&str> = source.dkim_pass.iter().map(|(domain, _)| &**domain).collect();
    domains.dedup();
    if let Some(says) = unaligned("DKIM", domains, author) {
        return says;
    }
    let other: Vec<String> = source
        .dkim_other
        .iter()
        .take(MAX_NAMES)
        .map(|((domain, selector), result)| {
            let selector = if selector.is_empty() { String::new() } else { format!(" (selector {selector})") };
            format!("{result} for {}{selector}", named(domain))
        })
        .collect();
    if other.is_empty() { "there is no DKIM signature".to_owned() } else { format!("DKIM is {}", other.join(", ")) }
}

/// Which domains passed, and that it was of no use; nothing where none did.
fn unaligned(mechanism: &str, domains: Vec<&str>, author: &str) -> Option<String> {
    let others: Vec<&str> = domains.iter().copied().filter(|domain| *domain != author).collect();
    if domains.is_empty() {
        None
    } else if others.is_empty() {
        Some(format!("{mechanism} passes for {author}, and receivers say that this gave no aligned pass"))
    } else {
        Some(format!("{mechanism} passes for {}, which is not aligned", names(others.into_iter())))
    }
}

fn named(domain: &str) -> &str {
    if domain.is_empty() { "a domain that is not told" } else { domain }
}

fn names<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.map(named).collect();
    match names.get(..MAX_NAMES).filter(|_| names.len() > MAX_NAMES) {
        Some(first) => format!("{} and {} more", first.join(", "), names.len() - MAX_NAMES),
        None => names.join(", "),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A failure report in a sentence.
pub(crate) fn failure(report: &FailureReport) -> String {
    let text = |value: &Option<Box<str>>| value.as_deref().filter(|text| !text.is_empty()).unwrap_or("?").to_owned();
    let when = report.arrival.map_or(String::new(), |time| format!("{time}, "));
    let ip = report.source_ip.map_or("an unknown client".to_owned(), |ip| ip.to_string());
    let what: Vec<&str> = report.auth_failure.iter().map(|word| &**word).collect();
    let kind = if what.is_empty() { text(&report.feedback_type) } else { what.join(", ") };
    let more = if report.incidents > 1 { format!(", {} times", report.incidents) } else { String::new() };
    format!(
        "{when}{}: {kind}, from {ip}, MAIL FROM {}{more}",
        text(&report.reported_domain),
        match report.mail_from.as_deref() {
            Some("") => "<>".to_owned(),
            other => other.unwrap_or("unknown").to_owned(),
        }
    )
}

/// A TLS report, a sentence for each policy.
pub(crate) fn tls(report: &TlsReport) -> Vec<String> {
    let reporter = report.org_name.as_deref().unwrap_or("?");
    let sentence = |policy: &mailverdict::report::TlsPolicy| {
        let kind = policy.kind.map_or("a policy of unknown kind", |kind| match kind {
            mailverdict::report::TlsPolicyType::Sts => "MTA-STS",
            mailverdict::report::TlsPolicyType::Tlsa => "DANE",
            mailverdict::report::TlsPolicyType::NoPolicyFound => "no policy",
        });
        let details: Vec<String> = policy
            .details
            .iter()
            .take(MAX_NAMES)
            .map(|detail| {
                let host = detail.receiving_mx.as_deref().map_or(String::new(), |host| format!(" at {host}"));
                format!("{} {}{host}", number(detail.count), detail.result_type.as_deref().unwrap_or("?"))
            })
            .collect();
        let details = if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
        format!(
            "{}, {}, {kind}, by {reporter}: {} came about, {} failed{details}",
            policy.domain.as_deref().unwrap_or("?"),
            period(report.begin, report.end),
            counted(policy.successes, "session"),
            number(policy.failures)
        )
    };
    report.policies.iter().map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_shares_never_round_to_all_or_nothing() {
        assert_eq!([0, 999, 1000, 1234567].map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [(0, 10), (1, 10_000), (9_999, 10_000), (10, 10), (1, 3), (0, 0)].map(|(part, whole)| percent(part, whole)),
            ["0.0 %", "0.1 %", "99.9 %", "100.0 %", "33.3 %", "0.0 %"]
        );
    }
}
