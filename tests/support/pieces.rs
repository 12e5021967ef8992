//! A message that comes in pieces.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::ready::now;
use mailverdict::{
    Evaluation, Message, Policy, Progress, Session, Verdict,
    dns::{AnyAnswer, AnyLookup, LookupError, Question, RecordType, Resolver, address_of},
};

/// What a resolver that answers at once says.
pub fn look_up<R: Resolver>(resolver: &R, Question { name, record_type }: &Question) -> AnyLookup {
    match record_type {
        RecordType::Txt => now(resolver.txt(name)).map(AnyAnswer::Txt),
        RecordType::A => now(resolver.a(name)).map(AnyAnswer::A),
        RecordType::Aaaa => now(resolver.aaaa(name)).map(AnyAnswer::Aaaa),
        RecordType::Mx => now(resolver.mx(name)).map(AnyAnswer::Mx),
        RecordType::Ptr => match address_of(name) {
            Some(ip) => now(resolver.ptr(ip)).map(AnyAnswer::Ptr),
            None => Err(LookupError::Malformed),
        },
    }
}

/// The verdict on a message whose body comes in pieces of `chunk` octets, by a resolver that answers at once.
pub fn in_pieces<R: Resolver>(
    resolver: &R,
    policy: &Policy,
    message: &Message<'_>,
    session: Session,
    chunk: usize,
) -> Verdict {
    let mut evaluation = Evaluation::new(policy, session);
    evaluation.header(message.header());
    let mut verdict = advance(resolver, &mut evaluation);
    assert!(verdict.is_none(), "the body is missing");
    message.body().chunks(chunk).for_each(|piece| evaluation.body(piece));
    evaluation.end();
    verdict = advance(resolver, &mut evaluation);
    verdict.expect("all has come")
}

fn advance<R: Resolver>(resolver: &R, evaluation: &mut Evaluation<'_>) -> Option<Verdict> {
    loop {
        match evaluation.advance() {
            Progress::Verdict(verdict) => return Some(*verdict),
            Progress::WantsMessage => return None,
            Progress::Asks(questions) => {
                for question in questions {
                    evaluation.answer(&question, look_up(resolver, &question));
                }
            }
        }
    }
}
