//! What changed on the way, and the evidence for it: why a signature does not verify.
//!
//! [`changes`] reads a verdict, the message, the session, and what the DNS was asked. It asks nothing, decides nothing, and costs nothing
//! where all signatures pass. What it calls proven it has computed; all else says on what it rests.

mod body;
mod case;
mod expiry;
mod hashed;
mod header;
mod key;
mod octets;
mod said;
mod signer;
mod suspect;
mod trace;
mod way;
mod work;

pub use hashed::HashedBody;

use crate::{
    dkim::{Change, SignatureReport},
    known::Log,
    message::Message,
    session::Session,
    verdict::Verdict,
};
use case::Case;
use suspect::{Place, Suspect, is_arc_broken, is_to_be_explained};
use trace::Traces;
use way::Way;

/// What may be looked at, and how much may be computed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The name under which the receiver writes its own Authentication-Results, beside those of the hosts that Received fields name.
    pub authserv_id: Option<Box<str>>,
    /// Octets that may be hashed for all signatures of one message; each attempt counts as 256 more, and each verification by Ed25519 as
    /// 30,000. The default, 500 million, is half a second of a processor with instructions for SHA-256.
    pub work: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { authserv_id: None, work: 500_000_000 }
    }
}

/// What changed, signature by signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Changes {
    /// One list for each report of [`Verdict::dkim`], in its order; empty for a signature that passes. Those that are proven come first.
    pub dkim: Vec<Vec<Change>>,
    /// The ARC-Message-Signature fields that do not verify, from the top of the header down.
    pub message_signatures: Vec<OfMessageSignature>,
}

/// What changed since an ARC set was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct OfMessageSignature {
    /// 1 to 50.
    pub instance: u8,
    /// The place of the field among all fields of the header, from 0 at the top.
    pub field_index: usize,
    /// The causes; those that are proven come first.
    pub changes: Vec<Change>,
}

/// What happened to the message between its signing and now, for each signature that does not verify.
///
/// `verdict`, `session` and `log` are those of an evaluation of `message`.
///
/// ```
/// use mailverdict::{Authenticator, Message, change::{Settings, changes}, dkim::ChangeKind, dns::Zone, spf::Observers};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let raw = b"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=k; h=from;\r\n bh=AAAA; b=BBBB\r\nFrom: a@example.com\r\n\r\nHello\r\n";
/// let message = Message::parse(raw)?;
/// let session = mailverdict::Session::new(std::net::Ipv4Addr::new(192, 0, 2, 1));
/// let mut observers = Observers { helo: (), mail_from: () };
/// let authenticator = Authenticator::new(Zone::default());
/// let (verdict, log) = authenticator.explain(&message, session.clone(), &mut observers).await;
/// let found = changes(&verdict, &message, &session, &log, &Settings::default());
/// assert_eq!(found.dkim[0][0].kind, ChangeKind::KeyMissing);
/// assert!(found.dkim[0][0].is_proven);
/// # Ok(())
/// # }
/// ```
pub fn changes(verdict: &Verdict, message: &Message<'_>, session: &Session, log: &Log, settings: &Settings) -> Changes {
    let mut changes = Changes { dkim: vec![Vec::new(); verdict.dkim.len()], message_signatures: Vec::new() };
    let is_dkim_broken = verdict.dkim.iter().any(|report| is_to_be_explained(&report.result));
    if !is_dkim_broken && !is_arc_broken(&verdict.arc.result) {
        return changes;
    }
    let suspects = Suspect::all(verdict, message);
    let way = Way::of(message.header(), session);
    let case = Case { verdict, message, log, way: &way, suspects: &suspects };
    let traces = Traces::of(message.header(), &way, settings.authserv_id.as_deref());
    for (suspect, found) in case.all(&traces, settings.work) {
        match suspect.place {
            Place::Dkim => {
                let place = verdict.dkim.iter().position(|report| report.field_index == suspect.own_index);
                if let Some(of_report) = place.and_then(|place| changes.dkim.get_mut(place)) {
                    *of_report = found;
                }
            }
            Place::Arc(_) if found.is_empty() => {}
            Place::Arc(instance) => {
                let field_index = suspect.own_index;
                changes.message_signatures.push(OfMessageSignature { instance, field_index, changes: found });
            }
        }
    }
    changes
}

/// The causes in sentences, with what else is to be said of the key and the field; `message` is the one that the report is about.
pub fn diagnosis(report: &SignatureReport, message: &Message<'_>, changes: &[Change]) -> Vec<String> {
    let mut said = report.remarks(message);
    said.extend(changes.iter().map(|change| String::from(&*change.says)));
    said
}
