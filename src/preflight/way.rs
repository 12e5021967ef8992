//! The ways on which a message may come to its receiver.

use super::plan::Plan;
use crate::{
    dns::{Answer, AnyAnswer, Details, Question, RecordType},
    session::{MailFrom, Session},
    text::Text,
};
use std::net::{IpAddr, Ipv4Addr};

/// A way, and who hands the message over at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The host of the plan does.
    Direct,
    /// A host that forwards mail with the envelope as it is.
    Forwarded,
    /// A host that forwards mail with an envelope of its own.
    Rewritten,
    /// A mailing list.
    List,
}

/// The address of hosts that hand mail on: nobody has it, because it is for measuring networks (RFC 2544), and so no record names it that
/// does not let strangers in.
const OTHER_HOST: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 25);
/// The same, where the plan has that address.
const STILL_ANOTHER_HOST: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 26);

/// No domain is registered below it (RFC 2606 §2).
const INVALID: &str = "invalid";
const FORWARDER: &str = "forwarder.invalid";
const LIST: &str = "list.invalid";

impl Way {
    /// What the receiver sees of the one who hands the message over.
    pub(super) fn session(self, plan: &Plan) -> Session {
        let session = Session::at(plan.time());
        let other = |name: &str| session.clone().with_peer(other_host(plan)).with_helo(name);
        match self {
            Self::Direct => {
                let session = Session { mail_from: plan.mail_from().clone(), ..session.with_peer(plan.ip()) };
                match plan.helo() {
                    Some(helo) => session.with_helo(helo),
                    None => session,
                }
            }
            Self::Forwarded => Session { mail_from: plan.mail_from().clone(), ..other(FORWARDER) },
            // The sender of a message without one stays so.
            Self::Rewritten if *plan.mail_from() == MailFrom::Null => {
                Session { mail_from: MailFrom::Null, ..other(FORWARDER) }
            }
            Self::Rewritten => Session { mail_from: address("forwarded", FORWARDER), ..other(FORWARDER) },
            Self::List => Session { mail_from: address("bounces", LIST), ..other(LIST) },
        }
    }
}

fn address(local_part: &str, domain: &str) -> MailFrom {
    MailFrom::Address(Text::from(format!("{local_part}@{domain}")))
}

fn other_host(plan: &Plan) -> IpAddr {
    let other = if plan.ip() == IpAddr::from(OTHER_HOST) { STILL_ANOTHER_HOST } else { OTHER_HOST };
    other.into()
}

/// What the DNS says of the hosts that hand mail on; `None` for the names of others. They may send, and publish nothing else.
pub(super) fn answer(plan: &Plan, question: &Question) -> Option<AnyAnswer> {
    let name = question.name.as_str();
    if question.name.labels().next_back() != Some(INVALID) {
        return None;
    }
    if question.record_type == RecordType::Txt && [FORWARDER, LIST].contains(&name) {
        let record = format!("v=spf1 ip4:{} -all", other_host(plan)).into_bytes();
        return Some(AnyAnswer::Txt(Answer::Records([record.into_boxed_slice()].into())));
    }
    Some(nothing(question.record_type))
}

fn nothing(record_type: RecordType) -> AnyAnswer {
    let details = Details::default();
    match record_type {
        RecordType::Txt => AnyAnswer::Txt(Answer::NxDomain(details)),
        RecordType::A => AnyAnswer::A(Answer::NxDomain(details)),
        RecordType::Aaaa => AnyAnswer::Aaaa(Answer::NxDomain(details)),
        RecordType::Mx => AnyAnswer::Mx(Answer::NxDomain(details)),
        RecordType::Ptr => AnyAnswer::Ptr(Answer::NxDomain(details)),
    }
}
