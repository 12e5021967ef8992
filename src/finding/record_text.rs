//! A TXT record that findings are about.

use super::{Finding, Quote, Rule};
use crate::{
    dns::{Answer, AnyAnswer},
    known::Entry,
    lex::Span,
    name::Name,
    spf::{SharedRecord, find_record},
};

pub(super) use crate::name::shown;

/// The size of an SPF record that is looked through.
const MAX_SIZE: usize = 8192;

/// A record, and the name that was asked for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordText<'l> {
    pub(crate) name: &'l Name,
    pub(crate) text: &'l [u8],
}

impl RecordText<'_> {
    /// A finding about the term or tag at `span`.
    pub(crate) fn finding(&self, rule: Rule, span: Option<Span>, says: &str, advice: &str) -> Finding {
        let quote = span.and_then(|span| Quote::of(self.text, span));
        Finding { quote, ..of_name(self.name, rule, says, advice) }
    }

    /// The octets at `span`; none where it does not fit.
    pub(crate) fn at(&self, span: Option<Span>) -> &[u8] {
        span.and_then(|span| span.of(self.text)).unwrap_or_default()
    }
}

/// A finding about all that stands at a name.
pub(crate) fn of_name(name: &Name, rule: Rule, says: &str, advice: &str) -> Finding {
    let advice = (!advice.is_empty()).then(|| advice.into());
    Finding { name: Some(shown(name)), advice, ..Finding::new(rule, &says) }
}

/// The one SPF record among the texts of an answer, which was read already where the evaluation came to it.
pub(super) fn spf_record(entry: &Entry) -> Option<SharedRecord> {
    match entry.answer() {
        Some(Ok(AnyAnswer::Txt(answer))) => spf_record_of(answer),
        Some(_) | None => None,
    }
}

/// The same of an answer.
pub(super) fn spf_record_of(answer: &Answer<Box<[u8]>>) -> Option<SharedRecord> {
    match answer {
        Answer::Records(texts) => find_record(texts, MAX_SIZE).record?.ok(),
        Answer::NoData(_) | Answer::NxDomain(_) => None,
    }
}
