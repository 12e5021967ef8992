//! What one DMARC record says otherwise than its owner seems to mean.

use super::{
    super::{Finding, Rule, quote::quoted, record_text::RecordText},
    hint,
};
use crate::{
    dmarc::{Edition, Ignored, IgnoredBecause, Record, ReportTarget, ReportUri, Request, Usability},
    lex::Span,
};

/// All of them, in the order of the record as far as they are about what was passed over.
pub(super) fn findings(text: &RecordText<'_>, record: &Record, edition: Edition) -> Vec<Finding> {
    let of = OfRecord { text, record, edition };
    let mut found: Vec<Finding> = Vec::new();
    if record.policy == Request::Absent {
        let says = format!("the record has no p: {}", of.instead());
        found.push(text.finding(Rule::DmarcPMissing, None, &says, "Add p=none, p=quarantine or p=reject."));
    }
    found.extend(record.ignored.iter().filter_map(|ignored| of.ignored(ignored)));
    let uris = record.aggregate_reports.iter().map(|uri| ("rua", uri));
    let uris = uris.chain(record.failure_reports.iter().map(|uri| ("ruf", uri)));
    found.extend(uris.filter_map(|(tag, uri)| of.uri(tag, uri)));
    found
}

struct OfRecord<'a, 't> {
    text: &'a RecordText<'t>,
    record: &'a Record,
    edition: Edition,
}

impl OfRecord<'_, '_> {
    fn tag(&self, name: &str) -> Option<Span> {
        self.record.span_of(name).map(|tag| tag.whole())
    }

    /// The section that says what becomes of a policy that cannot be read.
    fn section(&self) -> &'static str {
        match self.edition {
            Edition::Rfc9989 => "RFC 9989 section 4.10.1",
            Edition::Rfc7489 => "RFC 7489 section 6.6.3",
        }
    }

    /// What is taken instead of a policy that cannot be read.
    fn instead(&self) -> String {
        match self.record.usability(self.edition) {
            Usability::AsPublished => "the rest of the record stands".to_owned(),
            Usability::AsNone(_) => {
                format!("receivers take p=none instead of what the record asks for ({})", self.section())
            }
            Usability::NotAtAll(_) => {
                format!("DMARC does not apply, because there is no valid rua either ({})", self.section())
            }
        }
    }

    /// A part that was passed over; `None` where that is a matter of style.
    fn ignored(&self, ignored: &Ignored) -> Option<Finding> {
        match ignored.why {
            IgnoredBecause::MalformedValue => self.malformed(ignored),
            IgnoredBecause::MalformedUri(error) => {
                let tag = self.tag(ignored.tag.as_deref()?);
                let says = format!("{} of {} {error}: it is skipped", self.member(ignored), quoted(self.text.at(tag)));
                let advice = "Write mailto: and an address, and part several by commas.";
                Some(self.text.finding(Rule::DmarcUri, tag, &says, advice))
            }
            IgnoredBecause::Repeated => {
                let first = ignored.tag.as_deref().and_then(|tag| self.tag(tag));
                let says = format!(
                    "{} is passed over, because {} stands before it; other receivers may take the last, or none",
                    self.member(ignored),
                    quoted(self.text.at(first))
                );
                let advice = "Remove one of the two.";
                Some(self.text.finding(Rule::DmarcDuplicateTag, ignored.span(), &says, advice))
            }
            IgnoredBecause::NoTag => self.no_tag(ignored),
            // A notice.
            IgnoredBecause::UnknownTag => None,
        }
    }

    /// The part as it was written.
    fn member(&self, ignored: &Ignored) -> String {
        quoted(self.text.at(ignored.span()))
    }

    fn malformed(&self, ignored: &Ignored) -> Option<Finding> {
        let name = ignored.tag.as_deref()?;
        let value = self.text.at(self.record.span_of(name).map(|tag| tag.value()));
        let (rule, why, advice) = match name {
            "p" | "sp" | "np" => {
                let rule = if name == "p" { Rule::DmarcPBad } else { Rule::DmarcValueBad };
                // RFC 7489 knows no `np`.
                if name == "np" && self.edition == Edition::Rfc7489 {
                    return None;
                }
                let advice = match hint::disposition(value) {
                    Some(meant) => format!("Write {name}={}.", meant.keyword()),
                    None => format!("Write {name}=none, {name}=quarantine or {name}=reject."),
                };
                (rule, format!("is none of none, quarantine and reject: {}", self.instead()), advice)
            }
            "adkim" | "aspf" => {
                let advice = match hint::letter(value, "rs") {
                    Some(letter) => format!("Write {name}={letter}."),
                    None => format!("Write {name}=r (relaxed) or {name}=s (strict)."),
                };
                (Rule::DmarcValueBad, "is neither r nor s: alignment is relaxed".to_owned(), advice)
            }
            "t" => {
                let advice = match hint::letter(value, "yn") {
                    Some(letter) => format!("Write t={letter}."),
                    None => "Write t=y or t=n.".to_owned(),
                };
                (Rule::DmarcValueBad, "is neither y nor n: the policy is not lowered for a test".to_owned(), advice)
            }
            "psd" => (Rule::DmarcValueBad, "is none of y, n and u: u holds".to_owned(), "Remove the tag.".to_owned()),
            "pct" => (
                Rule::DmarcPct,
                "is no number from 0 to 100, and RFC 9989 has removed the tag: the policy is for all messages"
                    .to_owned(),
                "Remove the tag.".to_owned(),
            ),
            "rua" | "ruf" => (
                Rule::DmarcUri,
                "holds no URI: nothing is reported there".to_owned(),
                "Write mailto: and an address.".to_owned(),
            ),
            // Of `fo`, `rf` and `ri` little depends on: notices.
            _ => return None,
        };
        let tag = self.tag(name);
        Some(self.text.finding(rule, tag, &format!("{} {why}", quoted(self.text.at(tag))), &advice))
    }

    /// A part without `=`, or without a name.
    fn no_tag(&self, ignored: &Ignored) -> Option<Finding> {
        let part = self.text.at(ignored.span());
        let is_uri = part.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"mailto:"));
        let (rule, why, advice) = match ignored.tag.as_deref() {
            _ if is_uri => (
                Rule::DmarcUri,
                "stands behind a semicolon and is no tag",
                "Part the addresses of a tag by commas.".to_owned(),
            ),
            Some(tag @ ("rua" | "ruf")) => (Rule::DmarcUri, "has no =", format!("Write {tag}=mailto: and an address.")),
            Some(tag) => (Rule::DmarcValueBad, "has no =", format!("Write {tag}= and a value, or remove it.")),
            None => return None,
        };
        let says = format!("{} {why}: it is passed over", quoted(part));
        Some(self.text.finding(rule, ignored.span(), &says, &advice))
    }

    /// RFC 9989 §4.6 and §4.7, rua.
    fn uri(&self, name: &str, uri: &ReportUri) -> Option<Finding> {
        let tag = self.tag(name);
        let written = quoted(self.text.at(uri.span()));
        match &uri.target {
            ReportTarget::Mailbox { local_part, .. } if local_part.starts_with("//") => {
                let says =
                    format!("{written} names a mailbox whose name begins with //, because mailto: takes no slashes");
                Some(self.text.finding(Rule::DmarcUri, tag, &says, "Remove the slashes."))
            }
            ReportTarget::Mailbox { .. } => None,
            ReportTarget::Other { scheme, .. } => {
                let says = format!(
                    "{written} asks for reports by {scheme}:, which most receivers do not send; all support mailto:"
                );
                Some(self.text.finding(Rule::DmarcScheme, tag, &says, "Write mailto: and an address."))
            }
        }
    }
}
