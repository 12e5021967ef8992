//! An aggregate report in XML, by the schema of RFC 9990 (Appendix A).

use super::{reporter::Reporter, topic::Topic};
use crate::report::{
    row::{Reason, Row},
    words::{Aligned, Applied, DkimWord, ReasonType, SpfWord},
};
use quick_xml::escape::partial_escape;
use std::{
    borrow::Cow,
    fmt::Display,
    io::{self, Write},
};

const GENERATOR: &str = concat!("mailverdict ", env!("CARGO_PKG_VERSION"));

/// Writes all that stands before the rows; how many octets stand before the identifier.
pub(super) fn write_head(out: &mut impl Write, reporter: &Reporter, topic: &Topic, id: &str) -> io::Result<u64> {
    let Reporter { submitter, org_name, email, extra_contact_info, begin, end } = reporter;
    let mut head = Vec::new();
    head.extend_from_slice(
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">\n\
          \x20 <version>1.0</version>\n  <report_metadata>\n",
    );
    element(&mut head, 2, "org_name", org_name)?;
    element(&mut head, 2, "email", email)?;
    optional(&mut head, 2, "extra_contact_info", extra_contact_info.as_deref())?;
    head.extend_from_slice(b"    <report_id>");
    let place = u64::try_from(head.len()).unwrap_or(u64::MAX);
    writeln!(head, "{id}@{submitter}</report_id>")?;
    writeln!(
        head,
        "    <date_range>\n      <begin>{}</begin>\n      <end>{}</end>\n    </date_range>",
        begin.0, end.0
    )?;
    if !topic.errors.is_empty() {
        element(&mut head, 2, "error", &topic.errors.join("; "))?;
    }
    element(&mut head, 2, "generator", GENERATOR)?;
    head.extend_from_slice(b"  </report_metadata>\n  <policy_published>\n");
    let policy = &topic.policy;
    element(&mut head, 2, "domain", &topic.domain)?;
    optional(&mut head, 2, "discovery_method", policy.discovery_method)?;
    let p = policy.p.map_or("none", |p| p.keyword());
    element(&mut head, 2, "p", p)?;
    optional(&mut head, 2, "sp", policy.sp.map(|sp| sp.keyword()))?;
    optional(&mut head, 2, "np", policy.np.map(|np| np.keyword()))?;
    optional(&mut head, 2, "fo", policy.fo.as_deref())?;
    optional(&mut head, 2, "adkim", policy.adkim)?;
    optional(&mut head, 2, "aspf", policy.aspf)?;
    optional(&mut head, 2, "testing", policy.testing)?;
    head.extend_from_slice(b"  </policy_published>\n");
    out.write_all(&head)?;
    Ok(place)
}

/// Writes a row; what the schema wants and the row does not have takes its mildest word.
pub(super) fn write_row(out: &mut impl Write, row: &Row) -> io::Result<()> {
    let mut text = Vec::with_capacity(1024);
    text.extend_from_slice(b"  <record>\n    <row>\n");
    element(&mut text, 3, "source_ip", &row.source_ip.map_or(String::new(), |ip| ip.to_string()))?;
    element(&mut text, 3, "count", &row.count.to_string())?;
    text.extend_from_slice(b"      <policy_evaluated>\n");
    element(&mut text, 4, "disposition", row.disposition.unwrap_or(Applied::None).keyword())?;
    element(&mut text, 4, "dkim", row.dkim.unwrap_or(Aligned::Fail).keyword())?;
    element(&mut text, 4, "spf", row.spf.unwrap_or(Aligned::Fail).keyword())?;
    row.reasons.iter().try_for_each(|reason| write_reason(&mut text, reason))?;
    text.extend_from_slice(b"      </policy_evaluated>\n    </row>\n    <identifiers>\n");
    element(&mut text, 3, "header_from", row.header_from.as_deref().unwrap_or_default())?;
    optional(&mut text, 3, "envelope_from", row.envelope_from.as_deref())?;
    optional(&mut text, 3, "envelope_to", row.envelope_to.as_deref())?;
    text.extend_from_slice(b"    </identifiers>\n    <auth_results>\n");
    for dkim in &row.dkim_results {
        text.extend_from_slice(b"      <dkim>\n");
        element(&mut text, 4, "domain", dkim.domain.as_deref().unwrap_or_default())?;
        element(&mut text, 4, "selector", dkim.selector.as_deref().unwrap_or_default())?;
        element(&mut text, 4, "result", dkim.result.unwrap_or(DkimWord::None).keyword())?;
        optional(&mut text, 4, "human_result", dkim.human_result.as_deref())?;
        text.extend_from_slice(b"      </dkim>\n");
    }
    // The schema has one; RFC 9990 §3.1.1.13 knows MAIL FROM alone.
    if let Some(spf) = row.spf_results.first() {
        text.extend_from_slice(b"      <spf>\n");
        element(&mut text, 4, "domain", spf.domain.as_deref().unwrap_or_default())?;
        optional(&mut text, 4, "scope", spf.scope.filter(|scope| *scope == crate::report::Scope::MailFrom))?;
        element(&mut text, 4, "result", spf.result.unwrap_or(SpfWord::None).keyword())?;
        optional(&mut text, 4, "human_result", spf.human_result.as_deref())?;
        text.extend_from_slice(b"      </spf>\n");
    }
    text.extend_from_slice(b"    </auth_results>\n  </record>\n");
    out.write_all(&text)
}

/// Words that RFC 9990 does not have any more are told as another reason.
fn write_reason(out: &mut Vec<u8>, reason: &Reason) -> io::Result<()> {
    let kind = match reason.kind {
        Some(ReasonType::Forwarded | ReasonType::SampledOut) | None => ReasonType::Other,
        Some(
            kind @ (ReasonType::LocalPolicy
            | ReasonType::MailingList
            | ReasonType::Other
            | ReasonType::PolicyTestMode
            | ReasonType::TrustedForwarder),
        ) => kind,
    };
    out.extend_from_slice(b"        <reason>\n");
    element(out, 5, "type", kind.keyword())?;
    let comment = match (&reason.comment, reason.kind) {
        (Some(comment), _) => Some(Cow::Borrowed(&**comment)),
        (None, Some(old @ (ReasonType::Forwarded | ReasonType::SampledOut))) => Some(Cow::Borrowed(old.keyword())),
        (None, _) => None,
    };
    optional(out, 5, "comment", comment)?;
    out.extend_from_slice(b"        </reason>\n");
    Ok(())
}

pub(super) fn write_end(out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"</feedback>\n")
}

fn optional(out: &mut Vec<u8>, depth: usize, name: &str, value: Option<impl Display>) -> io::Result<()> {
    value.map_or(Ok(()), |value| element(out, depth, name, &value.to_string()))
}

fn element(out: &mut Vec<u8>, depth: usize, name: &str, text: &str) -> io::Result<()> {
    writeln!(out, "{:1$}<{name}>{text}</{name}>", "", 2 * depth, text = escaped(text))
}

/// The text as content of an element (`>` as well: `]]>` may not stand there, XML 1.0 §2.4): characters that XML does not have (XML 1.0 §2.2) are replaced, and so are line ends, which parsers
/// change.
fn escaped(text: &str) -> Cow<'_, str> {
    let is_none =
        |c: char| matches!(c, '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    if text.contains(is_none) {
        let replaced: String = text.chars().map(|c| if is_none(c) { '\u{fffd}' } else { c }).collect();
        Cow::Owned(partial_escape(replaced).into_owned())
    } else {
        partial_escape(text)
    }
}
