//! What is odd about a message, as findings.

use super::{Finding, Quote, Rule};
use crate::message::{MalformationKind, Oddity};

/// One for each place: where a line end of the header is told, that there are several kinds is not told as well, and where
/// a From field is malformed, not that no domain was found in it.
pub(super) fn findings(oddities: &[Oddity]) -> impl Iterator<Item = Finding> {
    let is_line_end = |oddity: &Oddity| matches!(oddity, Oddity::MalformedHeader(of) if matches!(of.kind, MalformationKind::BareCr | MalformationKind::BareLf));
    let is_malformed = |oddity: &Oddity| matches!(oddity, Oddity::MalformedFrom { .. });
    let [has_line_end, has_malformed] = [oddities.iter().any(is_line_end), oddities.iter().any(is_malformed)];
    let is_told = move |oddity: &&Oddity| match oddity {
        Oddity::LineEndings(_) => has_line_end,
        Oddity::NoAuthorDomain { .. } => has_malformed,
        _ => false,
    };
    oddities.iter().filter(move |oddity| !is_told(oddity)).map(Finding::from)
}

impl From<&Oddity> for Finding {
    fn from(oddity: &Oddity) -> Self {
        let value = match oddity {
            Oddity::MalformedFrom { error } => Some(&error.value),
            Oddity::ManyAuthorDomains { value, .. } | Oddity::NoAuthorDomain { value } => value.as_deref(),
            _ => None,
        };
        let says = match oddity {
            // RFC 9989 §11.5; what is done stands in DMARC's reason.
            Oddity::ManyAuthorDomains { .. } => {
                format!("{oddity}; DMARC passes for none of them, and the strictest of their policies stands")
            }
            _ => oddity.to_string(),
        };
        Self {
            name: value.map(|_| "From".into()),
            quote: value.filter(|value| !value.text.is_empty()).map(|value| Quote::of_field(&value.text, value.span)),
            advice: Some(advice(oddity).into()),
            ..Self::new(rule(oddity), &says)
        }
    }
}

/// What to do about it where the message is made.
fn advice(oddity: &Oddity) -> &'static str {
    const LINE_ENDS: &str = "End each line by CR LF, and have no CR or LF elsewhere.";
    match oddity {
        Oddity::MalformedHeader(malformation) => match malformation.kind {
            MalformationKind::NotAField => {
                "Begin each line of the header with a field's name and a colon, or by a blank where it goes on with a field."
            }
            MalformationKind::SpaceBeforeColon => "Write the colon right behind the field's name.",
            MalformationKind::MboxSeparator => "Take the line out: it belongs to a mailbox file, and to no message.",
            MalformationKind::ByteOrderMark => "Begin the message with the first letter of its first field.",
            MalformationKind::Nul | MalformationKind::Control => "Take the control characters out of the header.",
            MalformationKind::LineSeparator => "Encode what is not ASCII in the header by encoded words (RFC 2047).",
            MalformationKind::BareCr | MalformationKind::BareLf => LINE_ENDS,
        },
        Oddity::BlankLineInField { .. } => "Fold fields without lines of white space alone.",
        Oddity::RepeatedField { .. } | Oddity::ManyFromFields { .. } => "Send one field of this name.",
        Oddity::NoField => "Give a whole message: a header, an empty line, and a body.",
        Oddity::MboxSeparator => "Save the message without the line if anything else is to read it.",
        Oddity::LineEndings(_) | Oddity::BodyLineEndings(_) => LINE_ENDS,
        Oddity::NoBody => "End the header by an empty line, also where there is no body.",
        Oddity::ManyAuthorDomains { .. } => "Name authors of one domain in From, and others in Reply-To.",
        Oddity::MalformedFrom { error } => error.problem.advice(),
        Oddity::DisputedFrom => "Have the header corrected where it is malformed.",
        Oddity::NoAuthorDomain { .. } => {
            "Name an author in From whose address has a domain, as in \"John Doe\" <john@example.com>."
        }
        Oddity::EncodedLocalPart { .. } => "Write the address as it is: encoded words belong into names.",
    }
}

fn rule(oddity: &Oddity) -> Rule {
    match oddity {
        Oddity::MalformedHeader(malformation) => match malformation.kind {
            MalformationKind::NotAField | MalformationKind::SpaceBeforeColon => Rule::HeaderNotAField,
            MalformationKind::MboxSeparator => Rule::HeaderMboxSeparator,
            MalformationKind::Nul => Rule::HeaderNul,
            MalformationKind::BareCr | MalformationKind::BareLf => Rule::HeaderBareLineEnd,
            MalformationKind::ByteOrderMark | MalformationKind::Control | MalformationKind::LineSeparator => {
                Rule::Header8bit
            }
        },
        Oddity::BlankLineInField { .. } | Oddity::NoField => Rule::HeaderNotAField,
        Oddity::RepeatedField { .. } | Oddity::ManyFromFields { .. } => Rule::HeaderDuplicate,
        Oddity::MboxSeparator => Rule::HeaderMboxSeparator,
        Oddity::LineEndings(_) => Rule::HeaderBareLineEnd,
        Oddity::BodyLineEndings(_) => Rule::BodyBareLineEnd,
        Oddity::NoBody => Rule::HeaderUnterminated,
        Oddity::ManyAuthorDomains { .. } => Rule::FromManyDomains,
        Oddity::MalformedFrom { .. }
        | Oddity::DisputedFrom
        | Oddity::NoAuthorDomain { .. }
        | Oddity::EncodedLocalPart { .. } => Rule::FromMalformed,
    }
}
