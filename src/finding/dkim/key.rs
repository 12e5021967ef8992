//! What one key record says.

use super::unreadable;
use crate::{
    crypto::{InvalidKey, is_published, wanted_octets},
    dkim::{KeyRecord, keys::ReadRecord},
    finding::{Finding, Rule, Severity, quote::quoted, record_text::RecordText},
    lex::Span,
};

/// Bits that RFC 8301 §3.2 asks of a key for RSA.
const LEAST_RSA_BITS: usize = 1024;
/// Bits that it recommends.
const GOOD_RSA_BITS: usize = 2048;
/// Bits that verifiers must be able to take.
const MOST_RSA_BITS: usize = 4096;

/// `read` is what was read of the text; whether a signature uses the key.
pub(super) fn findings(text: &RecordText<'_>, read: &ReadRecord, is_used: bool) -> Vec<Finding> {
    match read.record() {
        Ok(record) => OfKey { text, record, read, is_used }.all(),
        Err(error) => unreadable::finding(text, error).into_iter().collect(),
    }
}

struct OfKey<'a, 't> {
    text: &'a RecordText<'t>,
    record: &'a KeyRecord,
    read: &'a ReadRecord,
    is_used: bool,
}

impl OfKey<'_, '_> {
    fn all(&self) -> Vec<Finding> {
        // RFC 6376 §3.6.1, p=: an empty value says that the key has been revoked.
        if self.record.is_revoked() {
            let says = format!("{} says that the key has been revoked", self.quoted("p"));
            if !self.is_used {
                return vec![self.finding(Rule::DkimRevoked, "p", &says, "Sign with other selectors alone.")];
            }
            let says = format!("{says}, and a signature uses it");
            let finding = self.finding(Rule::DkimRevoked, "p", &says, "Sign with another selector.");
            return vec![Finding { severity: Severity::Error, ..finding }];
        }
        [self.service(), self.hash(), self.testing(), self.key()].into_iter().flatten().collect()
    }

    fn tag(&self, name: &str) -> Option<Span> {
        self.record.span_of(name).map(|tag| tag.whole())
    }

    fn quoted(&self, name: &str) -> String {
        quoted(self.text.at(self.tag(name)))
    }

    fn finding(&self, rule: Rule, tag: &str, says: &str, advice: &str) -> Finding {
        self.text.finding(rule, self.tag(tag), says, advice)
    }

    /// RFC 6376 §3.6.1, s=.
    fn service(&self) -> Option<Finding> {
        let says = || format!("{} lists neither email nor *: the key is not for mail", self.quoted("s"));
        let finding = || self.finding(Rule::DkimService, "s", &says(), "Write s=email, or remove the tag.");
        (!self.record.is_for_email()).then(finding)
    }

    /// RFC 6376 §3.6.1, h=; RFC 8301 §3.1.
    fn hash(&self) -> Option<Finding> {
        let says = || format!("{} does not list sha256, the one hash that is used for mail", self.quoted("h"));
        let finding = || self.finding(Rule::DkimHash, "h", &says(), "Write h=sha256, or remove the tag.");
        (!self.record.allows_hash("sha256")).then(finding)
    }

    /// RFC 6376 §3.6.1, t=.
    fn testing(&self) -> Option<Finding> {
        let says = || format!("{} says that the domain is testing DKIM", self.quoted("t"));
        let finding = || self.finding(Rule::DkimTesting, "t", &says(), "Remove y from t= when the test is over.");
        self.record.testing.then(finding)
    }

    /// What the octets of `p=` are.
    fn key(&self) -> Option<Finding> {
        let Some(key) = self.read.seen_key(self.record) else {
            let says = format!("{} names a type of key that is not known", self.quoted("k"));
            return Some(self.finding(Rule::DkimKeyType, "k", &says, "Write k=rsa or k=ed25519."));
        };
        if let Some(source) = is_published(&self.record.key) {
            let says = format!("the key in p= is that of an example in {source}: anybody can sign with it");
            return Some(self.finding(Rule::DkimBadKey, "p", &says, "Sign with a new key."));
        }
        match key {
            Ok(key) if &*self.record.key_type == "rsa" => self.rsa_bits(key.bits()),
            Ok(_) => None,
            Err(error) => Some(self.invalid(&error)),
        }
    }

    /// RFC 8301 §3.2.
    fn rsa_bits(&self, bits: usize) -> Option<Finding> {
        let advice = "Sign with a new key of 2048 bits.";
        if bits < LEAST_RSA_BITS {
            let says = format!("the key has {bits} bits, and receivers must not accept fewer than {LEAST_RSA_BITS}");
            Some(self.finding(Rule::DkimShort, "p", &says, advice))
        } else if bits < GOOD_RSA_BITS {
            let says = format!("the key has {bits} bits, and should have {GOOD_RSA_BITS}");
            Some(self.finding(Rule::DkimWeak, "p", &says, advice))
        } else if bits > MOST_RSA_BITS {
            Some(self.long(bits))
        } else {
            None
        }
    }

    fn long(&self, bits: usize) -> Finding {
        let says = format!("the key has {bits} bits, and receivers need not take more than {MOST_RSA_BITS}");
        self.finding(Rule::DkimLong, "p", &says, "Sign with a new key of 2048 bits.")
    }

    /// The octets of `p=` are no key of the type that `k=` names.
    fn invalid(&self, error: &InvalidKey) -> Finding {
        let octets = self.record.key.len();
        let of_type = |says: &str, advice: &str| self.finding(Rule::DkimKeyType, "p", says, advice);
        match error {
            InvalidKey::TooLong { bits } => self.long(*bits),
            InvalidKey::Encoding => match wanted_octets(&self.record.key) {
                Some(wanted) if wanted > octets => unreadable::truncated(self.text, self.tag("p"), octets, wanted),
                _ if octets == 32 => of_type(
                    "p= has 32 octets, as a key of Ed25519 has, and the record says that it is one of RSA",
                    "Write k=ed25519.",
                ),
                _ => of_type("p= is base64, and its octets are no key of RSA", "Publish the key as its file has it."),
            },
            InvalidKey::Ed25519Length { octets } => {
                let says = format!("p= has {octets} octets, and a key of Ed25519 has 32");
                of_type(&says, "Publish the 32 octets of the key alone, without what a key file has around them.")
            }
            error => {
                let says = format!("the key in p= is not acceptable: {error}");
                self.finding(Rule::DkimBadKey, "p", &says, "Sign with a new key.")
            }
        }
    }
}
