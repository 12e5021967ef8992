//! What is odd about a message, as findings.

use super::{Finding, Quote, Rule};
use crate::message::{MalformationKind, Oddity};

/// One for each place: where a line end of the header is told, that there are several kinds is not told as well.
pub(super) fn findings(oddities: &[Oddity]) -> impl Iterator<Item = Finding> {
    let is_line_end = |oddity: &Oddity| matches!(oddity, Oddity::MalformedHeader(of) if matches!(of.kind, MalformationKind::BareCr | MalformationKind::BareLf));
    let is_told = oddities.iter().any(is_line_end);
    oddities.iter().filter(move |oddity| !(is_told && matches!(oddity, Oddity::LineEndings(_)))).map(Finding::from)
}

impl From<&Oddity> for Finding {
    fn from(oddity: &Oddity) -> Self {
        let finding = Self::new(rule(oddity), oddity);
        match oddity {
            Oddity::MalformedFrom { error } => Self {
                name: Some("From".into()),
                quote: Some(Quote::of_field(&error.text, error.span)),
                advice: Some(error.problem.advice().into()),
                ..finding
            },
            Oddity::MalformedHeader(_)
            | Oddity::BlankLineInField { .. }
            | Oddity::RepeatedField { .. }
            | Oddity::NoField
            | Oddity::MboxSeparator
            | Oddity::LineEndings(_)
            | Oddity::BodyLineEndings(_)
            | Oddity::NoBody
            | Oddity::ManyFromFields { .. }
            | Oddity::ManyAuthorDomains { .. }
            | Oddity::DisputedFrom
            | Oddity::NoAuthorDomain
            | Oddity::EncodedLocalPart { .. } => finding,
        }
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
        | Oddity::NoAuthorDomain
        | Oddity::EncodedLocalPart { .. } => Rule::FromMalformed,
    }
}
