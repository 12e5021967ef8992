//! Messages that are signed, and then changed as lists, gateways, stores and mistakes change them.
#![allow(dead_code, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod body_damage;
pub mod header_damage;
pub mod key_damage;
pub mod mail;
pub mod random;

use crate::support::signer::{Key, SignOptions, sign};
use mail::{Mail, Shape};
use random::Random;

/// A message that was signed, and all that is needed to evaluate it.
pub struct Signed {
    pub mail: Mail,
    /// The key records, by their selectors.
    pub zone: String,
    pub at: u64,
    /// Octets before anything else is done to the message.
    pub random: Random,
    pub signer: Signer,
}

/// How it was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    Relaxed,
    Simple,
    Ed25519,
}

impl Signer {
    pub const ALL: [Self; 3] = [Self::Relaxed, Self::Simple, Self::Ed25519];

    pub fn key(self) -> &'static str {
        match self {
            Self::Relaxed | Self::Simple => "rsa2048",
            Self::Ed25519 => "ed25519",
        }
    }

    pub fn c(self) -> &'static str {
        match self {
            Self::Relaxed | Self::Ed25519 => "relaxed/relaxed",
            Self::Simple => "simple/simple",
        }
    }
}

/// One kind of damage: what is wanted of the message before it is signed, and what is done to it then.
pub struct Damage {
    /// The kinds that are to be found proven, and no others.
    pub kinds: &'static [&'static str],
    /// The shapes of bodies it can happen to.
    pub shapes: &'static [Shape],
    pub signers: &'static [Signer],
    /// Tags of the signature beside the usual ones, `l=…` and the like.
    pub tags: &'static str,
    pub before: fn(&mut Mail, &mut Random),
    pub after: fn(&mut Signed),
}

pub const ANY: &[Shape] = &Shape::ALL;
pub const TEXT: &[Shape] = &[Shape::Plain, Shape::Utf8];

/// When messages are received; before that they were signed.
pub const NOW: u64 = 1_759_738_600;

/// The fields that are signed, some of them oversigned.
pub const NAMES: &str = "from:from:to:cc:subject:subject:date:message-id:mime-version:content-type:content-transfer-encoding:reply-to:\
    reply-to:sender:list-id:list-unsubscribe";

impl Damage {
    /// To any message, however it is signed.
    pub const NONE: Self =
        Self { kinds: &[], shapes: ANY, signers: &Signer::ALL, tags: "", before: |_, _| {}, after: |_| {} };

    /// The `number`th message with this damage.
    pub fn message(&self, number: usize, seed: u64) -> Signed {
        let mut random = Random::new(seed.wrapping_add(number as u64 * 7919) + 1);
        let shape = self.shapes[number % self.shapes.len()];
        let signer = self.signers[number / self.shapes.len() % self.signers.len()];
        let mut mail = Mail::new(&mut random, shape);
        (self.before)(&mut mail, &mut random);
        let mut signed = Signed { mail, zone: zone(signer), at: NOW, random, signer };
        signed.sign("contoso.com", self.tags);
        (self.after)(&mut signed);
        signed
    }
}

/// The key record of contoso.com.
fn zone(signer: Signer) -> String {
    record("contoso.com", signer.key(), &Key::named(signer.key()).record())
}

/// A record in a master file.
pub fn record(domain: &str, selector: &str, text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    let strings: Vec<String> =
        text.as_bytes().chunks(200).map(|part| format!("\"{}\"", String::from_utf8_lossy(part))).collect();
    // No escape may be cut in two.
    let text = if text.contains('\\') { format!("\"{}\"", text) } else { strings.join(" ") };
    format!("{selector}._domainkey.{domain}. TXT {text}\n")
}

impl Signed {
    /// Puts a signature on top, with these tags beside the usual ones.
    pub fn sign(&mut self, domain: &str, tags: &str) {
        let (key, c) = (self.signer.key(), self.signer.c());
        let a = if key == "ed25519" { "ed25519-sha256" } else { "rsa-sha256" };
        let template = format!(
            " v=1; a={a}; c={c}; d={domain}; s={key}; t={}; {tags}\r\n h={NAMES};\r\n bh={{bh}}; b={{b}}",
            NOW - 60
        );
        self.sign_as("DKIM-Signature", &template);
    }

    /// By a whole template; two `=` for the tags of `tags` win over those before.
    pub fn sign_as(&mut self, name: &str, template: &str) {
        let options = SignOptions { field_name: name, template: template.trim_start() };
        let field = sign(&self.mail.octets(), &options, &Key::named(self.signer.key()));
        let field = String::from_utf8(field).unwrap();
        let value = field.trim_end().split_once(':').unwrap().1.to_owned();
        self.mail.fields.insert(0, (name.to_owned(), value));
    }
}
