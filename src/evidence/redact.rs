//! Evidence without the body and without local parts.

use super::{Content, Evidence, Recorded, content::Redacted};
use crate::{
    dns::Question,
    evaluation::Evaluation,
    finding::{Finding, Rule},
    message::{Marks, Message, MessageError},
    name::Name,
    session::{MailFrom, Session},
    spf::{Observers, SpfReport},
    verdict::Verdict,
};

/// Why evidence is not redacted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedactError {
    /// There is no message.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Other results would come of it: an address that a display name or a field of no usual form holds took part in them.
    #[error(
        "without its local parts the message comes to another verdict; keep the evidence whole, or do not give it away"
    )]
    OtherVerdict,
}

impl<V> Evidence<V> {
    /// The same without the body, and with a mark in the place of each local part in the header and in the session; it comes to the same
    /// results, though sentences may hold marks. The verdict is to be told anew.
    ///
    /// Where SPF's macros have put the local part of MAIL FROM into names that cannot be told apart from it any more, it is kept, and a
    /// finding says so. Evidence that is redacted already stays as it is.
    ///
    /// # Errors
    /// Where there is no message, and where the results would be others.
    pub fn redacted(self) -> Result<(Evidence<()>, Vec<Finding>), RedactError> {
        let whole = self.with_verdict(());
        let Content::Whole(octets) = &whole.message else { return Ok((whole, Vec::new())) };
        let expected = results(&whole)?;
        let message = Message::parse(octets)?;
        let mut evaluation = Evaluation::new(&whole.policy, whole.session.clone());
        evaluation.message(&message);
        let mut marks = Marks::default();
        let body = message.body().len();
        let header = octets.get(..octets.len().saturating_sub(body)).unwrap_or_default();
        let redacted = Redacted::new(octets, &message, marks.header(header), evaluation.hashes());
        let told = |session: Session, answers: Recorded| Evidence {
            creator: whole.creator.clone(),
            session,
            policy: whole.policy.clone(),
            authserv_id: whole.authserv_id.clone(),
            message: Content::Redacted(redacted.clone()),
            answers,
            verdict: (),
        };
        let (session, answers) = marked(&whole, &mut marks);
        let evidence = told(session, answers);
        if results(&evidence)? == expected {
            return Ok((evidence, Vec::new()));
        }
        let evidence = told(whole.session.clone(), whole.answers.clone());
        if results(&evidence)? == expected {
            let says = "the local part of MAIL FROM is kept, because macros of SPF have put it into names of the DNS";
            let advice = Some("Do not give the evidence to those who must not know it.".into());
            return Ok((evidence, vec![Finding { advice, ..Finding::new(Rule::EvidenceKept, &says) }]));
        }
        Err(RedactError::OtherVerdict)
    }
}

/// The session with marks, and the answers with the mark of MAIL FROM in the place of its local part in the names that were asked.
fn marked<V>(evidence: &Evidence<V>, marks: &mut Marks) -> (Session, Recorded) {
    let mut session = evidence.session.clone();
    let MailFrom::Address(address) = &evidence.session.mail_from else { return (session, evidence.answers.clone()) };
    session.mail_from = MailFrom::Address(marks.address(address).into());
    let Some((local_part, _)) = address.rsplit_once('@').filter(|(local_part, _)| !local_part.is_empty()) else {
        return (session, evidence.answers.clone());
    };
    let (local_part, mark) = (local_part.to_ascii_lowercase(), marks.mark(local_part.as_bytes()));
    let renamed = |question: &Question| Question {
        name: renamed(&question.name, &local_part, &mark).unwrap_or_else(|| question.name.clone()),
        record_type: question.record_type,
    };
    let answers = evidence.answers.0.iter().map(|(question, answer)| (renamed(question), answer.clone()));
    (session, Recorded(answers.collect()))
}

/// The name in which whole labels are the local part, with a mark in their place; `None` where there are none.
fn renamed(name: &Name, local_part: &str, mark: &str) -> Option<Name> {
    let text = name.as_str();
    let is_whole = |start: usize| {
        let before = text.get(..start)?;
        let after = text.get(start + local_part.len()..)?;
        ((before.is_empty() || before.ends_with('.')) && after.starts_with('.')).then_some((before, after))
    };
    let (before, after) = text.match_indices(local_part).find_map(|(start, _)| is_whole(start))?;
    // The owner of the domain itself is none of it.
    Name::parse(&format!("{before}{mark}{after}")).ok()
}

/// What a verdict comes to, without its words.
#[derive(Debug, PartialEq, Eq)]
struct Results {
    spf: [Option<(&'static str, Option<String>)>; 2],
    dkim: Vec<(&'static str, Option<String>)>,
    arc: &'static str,
    dmarc: Vec<(&'static str, &'static str, Option<String>)>,
    disposition: &'static str,
}

fn results<V>(evidence: &Evidence<V>) -> Result<Results, MessageError> {
    let (verdict, _) = evidence.replay(&evidence.answers, &mut Observers { helo: (), mail_from: () })?;
    let Verdict { spf, dkim, arc, dmarc, dmarc_rfc7489, disposition, .. } = &verdict;
    let spf_result = |report: &SpfReport| {
        (report.result.keyword(), report.result.matched().map(|matched| matched.directive().to_string()))
    };
    Ok(Results {
        spf: [&spf.helo, &spf.mail_from].map(|report| report.as_ref().map(spf_result)),
        dkim: dkim
            .iter()
            .map(|report| (report.result.keyword(), report.signature.domain.as_ref().map(ToString::to_string)))
            .collect(),
        arc: arc.result.keyword(),
        dmarc: [Some(dmarc), dmarc_rfc7489.as_ref()]
            .into_iter()
            .flatten()
            .map(|report| {
                let author = report.author_domain.as_ref().map(ToString::to_string);
                (report.result.keyword(), report.disposition.keyword(), author)
            })
            .collect(),
        disposition: disposition.keyword(),
    })
}
