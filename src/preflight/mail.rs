//! The message that is planned, on each of its ways.

use super::{
    list,
    plan::{Plan, PlannedKey},
    planned_signature,
    way::Way,
};
use crate::{lint, message::Message, sign::SigningAlgorithm};

/// The message as it leaves the host, and as a list hands it on.
#[derive(Debug)]
pub(super) struct Mail {
    sent: Vec<u8>,
    by_list: Vec<u8>,
    /// Signatures on top that were planned, and not made.
    pub(super) planned: usize,
}

impl Mail {
    /// `author` tells which keys are published.
    pub(super) fn of(plan: &Plan, author: &lint::Report) -> Self {
        let unsigned = match plan.message() {
            Some(message) => message.to_vec(),
            None => made_up(plan),
        };
        let message = Message::written(&unsigned);
        let mut sent = Vec::with_capacity(unsigned.len() + 1024 * plan.signatures().len());
        let mut planned = 0;
        for key in plan.signatures() {
            if let Some(field) = planned_signature::field(&message, key, algorithm(key, author), plan.time()) {
                sent.extend(field.as_bytes());
                planned += 1;
            }
        }
        sent.extend(&unsigned);
        let by_list = list::through(&Message::written(&sent));
        Self { sent, by_list, planned }
    }

    /// What arrives on this way.
    pub(super) fn on(&self, way: Way) -> Message<'_> {
        Message::written(match way {
            Way::Direct | Way::Forwarded | Way::Rewritten => &self.sent,
            Way::List => &self.by_list,
        })
    }
}

/// What the key that is published signs with; most do so with RSA.
fn algorithm(key: &PlannedKey, author: &lint::Report) -> SigningAlgorithm {
    let is_ed25519 = |published: &&lint::KeyPublished| {
        published.name == *key.name() && published.key_type.as_deref() == Some("ed25519")
    };
    if author.dkim.iter().any(|published| is_ed25519(&published)) {
        SigningAlgorithm::Ed25519Sha256
    } else {
        SigningAlgorithm::RsaSha256
    }
}

/// A message that offends nobody, with text of eight bits, which some hosts convert.
fn made_up(plan: &Plan) -> Vec<u8> {
    let (from, author) = (plan.from(), plan.author());
    format!(
        "From: {from}\r\nTo: {from}\r\nSubject: Preflight\r\nDate: Mon, 6 Oct 2025 08:15:05 +0000\r\nMessage-ID: <preflight@{author}>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         This message was made up, to see how mail would fare.\r\n\r\nÀ bientôt!\r\n"
    )
    .into_bytes()
}
