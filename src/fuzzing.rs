//! A door for fuzzing to rooms that the public API does not open by themselves; it exists under `--cfg fuzzing` and in unit
//! tests alone, and promises nothing.

use crate::{
    dkim::{canonical_body::Body, canonicalize},
    lex::{
        mailbox::{MailboxDomain, mailbox_list},
        tag_list::{Tag, Tags},
    },
};

pub use crate::dkim::Algorithm;

// The properties, which the fuzzer reaches by another path.
#[cfg(test)]
use crate::fuzzing as door;
#[cfg(test)]
#[path = "../tests/support/properties/inner.rs"]
mod inner;
#[cfg(test)]
#[path = "../tests/support/properties/replay.rs"]
mod replay;

/// One tag of a list: its name, its value, and where the value stands in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadTag {
    /// The name.
    pub name: Vec<u8>,
    /// The value, without the white space around it.
    pub value: Vec<u8>,
    /// Octets from the start of the list to the value.
    pub value_offset: usize,
    /// What stands between the equals sign and the semicolon.
    pub raw: std::ops::Range<usize>,
}

/// The tags of a list as far as they can be read, and whether the whole of it could.
pub fn tag_list(text: &[u8]) -> (Vec<ReadTag>, bool) {
    let of = |tag: Tag<'_>| ReadTag {
        name: tag.name.to_vec(),
        value: tag.value.to_vec(),
        value_offset: tag.value_offset,
        raw: tag.raw_start..tag.raw_end,
    };
    let (tags, outcome) = Tags::read_until_error(text);
    (tags.iter().map(of).collect(), outcome.is_ok())
}

/// What a mailbox list holds: its domains (`None` for an address literal), where it leaves the grammar, and whether it holds an
/// `@` that other readers may take for that of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadMailboxes {
    /// In their order.
    pub domains: Vec<Option<String>>,
    /// Octets from the start to the first error.
    pub error: Option<usize>,
    /// Whether an `@` stands in a part that was passed over, or is hidden in a local part.
    pub unread_at_sign: bool,
}

/// Reads a mailbox list.
pub fn mailboxes(text: &[u8]) -> ReadMailboxes {
    let list = mailbox_list(text);
    let domain = |domain| match domain {
        MailboxDomain::Name(name) => Some(name.into_owned()),
        MailboxDomain::Literal => None,
    };
    ReadMailboxes {
        domains: list.domains.into_iter().map(domain).collect(),
        error: list.error.map(|error| error.offset),
        unread_at_sign: list.unread_at_sign,
    }
}

/// A body that comes in these chunks, canonicalized.
pub fn canonical_body<'c>(algorithm: Algorithm, chunks: impl IntoIterator<Item = &'c [u8]>) -> Vec<u8> {
    let mut canonical = Vec::new();
    let mut body = Body::new(algorithm);
    let mut out = |text: &[u8]| canonical.extend_from_slice(text);
    for chunk in chunks {
        body.update(chunk, &mut out);
    }
    body.finish(&mut out);
    canonical
}

/// A header field, canonicalized: its name and the pieces of its value.
pub fn canonical_field<'v>(algorithm: Algorithm, name: &[u8], value: impl IntoIterator<Item = &'v [u8]>) -> Vec<u8> {
    let mut canonical = Vec::new();
    canonicalize::header_field(algorithm, name, value, &mut canonical);
    canonical
}

#[cfg(test)]
mod tests {
    use super::{inner, replay::replay};

    #[test]
    fn findings_and_made_inputs_hold() {
        replay(&[
            ("canonicalize", inner::canonicalize),
            ("mailbox_list", inner::mailbox_list),
            ("tag_list", inner::tag_list),
        ]);
    }
}
