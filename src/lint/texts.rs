//! The records of TLS reports, MTA-STS and BIMI, as far as their texts tell.

use super::{
    context::Context,
    gather::{INDICATORS, STRICT_TRANSPORT, TLS_REPORTS},
    report::OtherText,
};
use crate::{
    dmarc::Disposition,
    finding::{Finding, RecordText, Rule, of_name, quoted},
    lex::{Span, printable},
    name::{Name, shown},
};

/// A kind of text, which begins with its version.
struct Kind {
    labels: &'static str,
    version: &'static [u8],
    what: &'static str,
    rule: Rule,
}

const TLSRPT: Kind = Kind { labels: TLS_REPORTS, version: b"v=TLSRPTv1", what: "TLS-RPT", rule: Rule::TlsrptRecord };
const STS: Kind = Kind { labels: STRICT_TRANSPORT, version: b"v=STSv1", what: "MTA-STS", rule: Rule::StsRecord };
const BIMI: Kind = Kind { labels: INDICATORS, version: b"v=BIMI1", what: "BIMI", rule: Rule::BimiRecord };

/// What is published, and the findings about it.
pub(super) fn look(context: &Context<'_>) -> (Vec<OtherText>, Vec<Finding>) {
    let mut found = Vec::new();
    let mut published = Vec::new();
    for kind in [TLSRPT, STS, BIMI] {
        let Some((name, texts)) = context.texts_below(kind.labels) else { continue };
        let records: Vec<_> = texts.iter().filter(|text| kind.is_record(text)).collect();
        match records.as_slice() {
            [] => found.extend(texts.iter().find_map(|text| kind.near_miss(&RecordText { name: &name, text }))),
            [text] => {
                let text = RecordText { name: &name, text };
                found.extend(match kind.rule {
                    Rule::TlsrptRecord => tls_reports(context, &text),
                    Rule::StsRecord => transport(&text).into_iter().collect(),
                    _ => indicators(context, &text),
                });
                let not_fetched = kind.not_fetched(context.domain(), text.text);
                published.push(OtherText { name: name.clone(), record: printable(text.text), not_fetched });
            }
            several => {
                let says = format!(
                    "{} records of {} stand at {}: receivers take them for none",
                    several.len(),
                    kind.what,
                    shown(&name)
                );
                found.push(of_name(&name, kind.rule, &says, "Publish one record."));
            }
        }
    }
    (published, found)
}

impl Kind {
    /// Whether a text begins with the version, as it must be written (RFC 8460 §3, RFC 8461 §3.1).
    fn is_record(&self, text: &[u8]) -> bool {
        let rest = text.strip_prefix(self.version).map(<[u8]>::trim_ascii_start);
        rest.is_some_and(|rest| matches!(rest, [] | [b';', ..]))
    }

    /// A text that was meant to be a record.
    fn near_miss(&self, text: &RecordText<'_>) -> Option<Finding> {
        let word = self.version.get(2..self.version.len() - 1)?;
        let start = text.text.get(..64).unwrap_or(text.text).to_ascii_uppercase();
        memchr::memmem::find(&start, &word.to_ascii_uppercase())?;
        let version = String::from_utf8_lossy(self.version);
        let says =
            format!("{} does not begin with \"{version};\", and so is no record of {}", quoted(text.text), self.what);
        let span = Span::new(0, text.text.len());
        Some(text.finding(self.rule, span, &says, &format!("Let the record begin with \"{version};\".")))
    }

    /// What a record leads to, which is not asked here.
    fn not_fetched(&self, domain: &Name, text: &[u8]) -> Option<Box<str>> {
        match self.rule {
            Rule::StsRecord => Some(format!("https://mta-sts.{}/.well-known/mta-sts.txt", shown(domain)).into()),
            Rule::BimiRecord => {
                let value = tags(text).find(|(name, _)| *name == b"l").map(|(_, tag)| tag.value)?;
                (!value.is_empty()).then(|| printable(value))
            }
            _ => None,
        }
    }
}

/// A tag with its value.
struct Tag<'t> {
    whole: Option<Span>,
    value: &'t [u8],
}

/// The tags of a text, by their names.
fn tags(text: &[u8]) -> impl Iterator<Item = (&[u8], Tag<'_>)> {
    let mut start = 0;
    text.split(|octet| *octet == b';').filter_map(move |part| {
        let before = start + (part.len() - part.trim_ascii_start().len());
        start += part.len() + 1;
        let trimmed = part.trim_ascii();
        let equals = trimmed.iter().position(|octet| *octet == b'=')?;
        let (name, value) = trimmed.split_at_checked(equals)?;
        let value = value.get(1..)?.trim_ascii();
        Some((name.trim_ascii(), Tag { whole: Span::new(before, trimmed.len()), value }))
    })
}

/// RFC 8460 §3.
fn tls_reports(context: &Context<'_>, text: &RecordText<'_>) -> Vec<Finding> {
    let Some((_, Tag { whole, value })) = tags(text.text).find(|(name, _)| *name == b"rua") else {
        let says = format!("{} has no rua=: no report is sent", quoted(text.text));
        return vec![text.finding(Rule::TlsrptRecord, None, &says, "Add rua=mailto: and an address.")];
    };
    let mut found = Vec::new();
    for uri in value.split(|octet| *octet == b',').map(<[u8]>::trim_ascii) {
        let has = |scheme: &[u8]| uri.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        if !has(b"mailto:") && !has(b"https:") {
            let says = format!("{} is no address that reports are sent to: mailto: or https: is missing", quoted(uri));
            found.push(text.finding(Rule::TlsrptRecord, whole, &says, "Write mailto: and an address."));
            continue;
        }
        let host = uri.rsplit(|octet| *octet == b'@').next().and_then(|host| std::str::from_utf8(host).ok());
        let host = host.and_then(|host| Name::parse(host).ok()).filter(|_| has(b"mailto:"));
        if host.is_some_and(|host| host == *context.domain()) {
            let says = format!(
                "{} takes mail at the domain whose TLS is reported: where TLS fails, the reports fail to come as well",
                quoted(uri)
            );
            found.push(text.finding(Rule::TlsrptLoop, whole, &says, "Write an address at another domain, or https:."));
        }
    }
    found
}

/// RFC 8461 §3.1: `sts-id = %s"id" *WSP "=" *WSP 1*32(ALPHA / DIGIT)`.
fn transport(text: &RecordText<'_>) -> Option<Finding> {
    let id = tags(text.text).find(|(name, _)| *name == b"id");
    let advice = "Write id= and up to 32 letters and digits, such as the date, and change them with the policy.";
    match id {
        None => {
            let says = format!("{} has no id=, and so is no record of MTA-STS", quoted(text.text));
            Some(text.finding(Rule::StsRecord, None, &says, advice))
        }
        Some((_, tag)) if matches!(tag.value.len(), 1..=32) && tag.value.iter().all(u8::is_ascii_alphanumeric) => None,
        Some((_, tag)) => {
            let says = format!("{} is not made of 1 to 32 letters and digits", quoted(text.at(tag.whole)));
            Some(text.finding(Rule::StsRecord, tag.whole, &says, advice))
        }
    }
}

fn indicators(context: &Context<'_>, text: &RecordText<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let location = tags(text.text).find(|(name, _)| *name == b"l");
    match location {
        None => {
            let says = format!("{} has no l=: there is no picture to show", quoted(text.text));
            found.push(text.finding(Rule::BimiRecord, None, &says, "Add l=https:// and where the picture is."));
        }
        // An empty one says that no picture is wanted.
        Some((_, tag)) if tag.value.is_empty() => return found,
        Some((_, tag)) if !tag.value.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"https://")) => {
            let says =
                format!("{} does not begin with https://: the picture is not fetched", quoted(text.at(tag.whole)));
            found.push(text.finding(Rule::BimiRecord, tag.whole, &says, "Write l=https:// and where the picture is."));
        }
        Some(_) => {}
    }
    if let Some(why) = not_enforced(context) {
        let says = format!("receivers show no picture, because {why}");
        let advice = "Publish p=quarantine or p=reject, for subdomains as well, and without t=y.";
        found.push(of_name(text.name, Rule::BimiRecord, &says, advice));
    }
    found
}

/// Why a DMARC policy does not count as enforced.
fn not_enforced(context: &Context<'_>) -> Option<String> {
    let Some(published) = context.dmarc() else { return Some("the domain has no DMARC record".to_owned()) };
    let record = &published.record;
    let below = |request: &crate::dmarc::Request| *request == crate::dmarc::Request::Valid(Disposition::None);
    if context.enforced() == Disposition::None {
        Some("its DMARC policy asks for nothing (p=none)".to_owned())
    } else if below(&record.subdomain_policy) {
        Some("its DMARC policy asks for nothing for subdomains (sp=none)".to_owned())
    } else if record.testing {
        Some("its DMARC policy is a test (t=y)".to_owned())
    } else if record.percent < 100 {
        Some(format!("its DMARC policy is for a part of the mail (pct={})", record.percent))
    } else {
        None
    }
}
