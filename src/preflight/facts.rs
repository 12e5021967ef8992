//! What requirements are judged by.

use super::{looks::Looks, plan::Plan, report::Outcome};
use crate::{
    dkim::SignatureReport,
    dns::{Answer, AnyAnswer, RecordType, reverse_name},
    finding::Finding,
    known::Log,
    lint,
    message::Header,
    name::Name,
};

/// What is known of the mail that is planned.
pub(super) struct Facts<'f> {
    pub(super) plan: &'f Plan,
    pub(super) direct: &'f Outcome,
    /// The header of the message as it leaves the host.
    pub(super) header: &'f Header<'f>,
    /// How many signatures stand on top of it that were planned, and not made.
    pub(super) planned: usize,
    /// What the domains publish.
    pub(super) looks: &'f Looks,
    /// What is wrong with the message, the host and the records.
    pub(super) findings: &'f [Finding],
}

impl Facts<'_> {
    /// Whether the message is one that was made up.
    pub(super) fn is_made_up(&self) -> bool {
        self.plan.message().is_none()
    }

    /// The signatures that pass.
    pub(super) fn passing(&self) -> impl Iterator<Item = &SignatureReport> {
        self.direct.verdict.dkim.iter().filter(|report| report.result.keyword() == "pass")
    }

    /// Those of them that the message itself has.
    pub(super) fn passing_for_good(&self) -> impl Iterator<Item = &SignatureReport> {
        self.passing().filter(|report| report.field_index >= self.planned)
    }

    /// The keys that are to sign, or did.
    pub(super) fn keys(&self) -> impl Iterator<Item = &lint::KeyPublished> {
        let used = |key: &&lint::KeyPublished| {
            self.plan.signatures().iter().any(|planned| *planned.name() == key.name)
                || self
                    .direct
                    .verdict
                    .dkim
                    .iter()
                    .any(|report| report.key.as_ref().is_some_and(|used| used.name == key.name))
        };
        self.looks.author.dkim.iter().filter(used)
    }

    /// What the host is called, and whether that leads back to it; `None` where the DNS left it open.
    pub(super) fn host(&self) -> Option<(Option<&Name>, bool)> {
        let name = reverse_name(self.plan.ip());
        answer(self.looks.author.log(), &name, RecordType::Ptr)?;
        let sender = self.looks.author.senders.iter().find(|sender| sender.ip == self.plan.ip())?;
        let name = sender.names.first();
        if let Some(name) = name.filter(|_| !sender.is_confirmed) {
            let record_type = if self.plan.ip().is_ipv4() { RecordType::A } else { RecordType::Aaaa };
            answer(self.looks.author.log(), name, record_type)?;
        }
        Some((name, sender.is_confirmed))
    }
}

/// Whether a name exists; `None` where the DNS left it open.
pub(super) fn exists(log: &Log, name: &Name) -> Option<bool> {
    let types = [RecordType::Txt, RecordType::Mx, RecordType::A];
    let mut answers = types.into_iter().filter_map(|record_type| answer(log, name, record_type)).peekable();
    answers.peek()?;
    Some(answers.any(|answer| !is_gone(answer)))
}

fn answer<'l>(log: &'l Log, name: &Name, record_type: RecordType) -> Option<&'l AnyAnswer> {
    log.entry(name, record_type)?.answer()?.as_ref().ok()
}

fn is_gone(answer: &AnyAnswer) -> bool {
    match answer {
        AnyAnswer::Txt(answer) => matches!(answer, Answer::NxDomain(_)),
        AnyAnswer::A(answer) => matches!(answer, Answer::NxDomain(_)),
        AnyAnswer::Aaaa(answer) => matches!(answer, Answer::NxDomain(_)),
        AnyAnswer::Mx(answer) => matches!(answer, Answer::NxDomain(_)),
        AnyAnswer::Ptr(answer) => matches!(answer, Answer::NxDomain(_)),
    }
}
