//! Which header fields are signed.

use crate::message::{Header, HeaderField};

/// Fields that are signed where they are there: those of RFC 6376 §5.4.1, the identity of the message, how its body is to be read, and
/// what lets people unsubscribe (RFC 8058 §4).
pub const DEFAULT_FIELDS: [&str; 25] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Resent-Date",
    "Resent-From",
    "Resent-To",
    "Resent-Cc",
    "List-Id",
    "List-Help",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Subscribe",
    "List-Post",
    "List-Owner",
    "List-Archive",
];

/// Fields that are named once more than they are there, so that none can be added (RFC 6376 §8.15).
pub const DEFAULT_OVERSIGNED: [&str; 12] = [
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Reply-To",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "References",
    "In-Reply-To",
];

/// Which fields a signer names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) signed: Vec<Box<str>>,
    pub(super) oversigned: Vec<Box<str>>,
}

impl Default for Fields {
    fn default() -> Self {
        let boxed = |names: &[&str]| names.iter().copied().map(Box::from).collect();
        Self { signed: boxed(&DEFAULT_FIELDS), oversigned: boxed(&DEFAULT_OVERSIGNED) }
    }
}

/// Whether a field may be named: those of hosts on the way change (RFC 6376 §5.4), and a signature cannot sign itself.
pub(super) fn is_signable(name: &str) -> bool {
    const NEVER: [&str; 6] =
        ["Received", "Return-Path", "Authentication-Results", "Received-SPF", "DKIM-Signature", "Delivered-To"];
    !NEVER.iter().any(|never| name.eq_ignore_ascii_case(never))
}

/// Whether a field is one that mailing lists add: it is never named where it is absent, because a list that adds it would break the
/// signature.
fn is_of_lists(name: &str) -> bool {
    name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("List-"))
}

impl Fields {
    /// The names of `h=` for this header: each as often as it is there, and those that are oversigned once more.
    pub(super) fn of<'f>(&'f self, header: &Header<'_>) -> Vec<&'f str> {
        let mut names: Vec<&str> = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for name in self.signed.iter().chain(&self.oversigned).map(|name| &**name) {
            if seen.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                continue;
            }
            seen.push(name);
            let times = header.fields().iter().filter(|field: &&HeaderField<'_>| field.is(name)).count();
            let is_oversigned = self.oversigned.iter().any(|over| over.eq_ignore_ascii_case(name));
            let more = usize::from(is_oversigned && !(is_of_lists(name) && times == 0));
            names.extend(std::iter::repeat_n(name, times + more));
        }
        names
    }
}
