//! Which fields of an incoming message claim to be the receiver's own (RFC 8601 §5).

use super::{AuthenticationResults, FIELD_NAME};
use crate::{
    lex::structured::{Scanner, Unterminated, is_escaped},
    message::Header,
    name::Domain,
};
use std::borrow::Cow;

/// A field that must be removed before the message goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Forged {
    /// The place of the field among all fields of the header, from 0 at the top.
    pub field_index: usize,
    /// Why it must go.
    pub reason: ForgedReason,
}

/// Why a field must be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum ForgedReason {
    /// It bears the receiver's own authserv-id.
    OwnAuthservId,
    /// Its version is not known here (RFC 8601 §5: such a field must not come in from outside).
    UnknownVersion,
    /// It cannot be read, so that another reader may find the receiver's own authserv-id in it.
    Unreadable,
}

impl std::fmt::Display for ForgedReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::OwnAuthservId => "the field claims to be written by this receiver",
            Self::UnknownVersion => "the version of the field is not known",
            Self::Unreadable => "the field cannot be read",
        })
    }
}

/// The Authentication-Results fields that a receiver must remove from a message that comes from outside, from the top down.
///
/// `authserv_id` is the receiver's own; a receiver with several asks for each. It is recognised in whatever case, quoting, folding
/// or form of its labels, behind comments, with characters in it that are not seen, and with a substructure after a slash
/// (RFC 8601 §2.5). Names below it are other names: a receiver that uses `a.example` and `mx.a.example` asks for both.
///
/// ```
/// use mailverdict::{Message, authentication_results::strip_forged};
/// let raw = b"Authentication-Results: (x) MX.\"example.org\"; spf=pass\r\nAuthentication-Results: b.example; none\r\n\r\n";
/// let message = Message::parse(raw)?;
/// let forged = strip_forged(message.header(), "mx.example.org");
/// assert_eq!(forged.iter().map(|forged| forged.field_index).collect::<Vec<_>>(), [0]);
/// # Ok::<(), mailverdict::message::MessageError>(())
/// ```
pub fn strip_forged(header: &Header<'_>, authserv_id: &str) -> Vec<Forged> {
    let own = OwnId::new(authserv_id);
    let fields = header.fields().iter().enumerate().filter(|(_, field)| field.is(FIELD_NAME));
    fields
        .filter_map(|(field_index, field)| own.judge(field.value()).map(|reason| Forged { field_index, reason }))
        .collect()
}

/// The receiver's own authserv-id, ready for comparison.
struct OwnId<'i> {
    text: &'i str,
    domain: Option<Domain>,
}

impl<'i> OwnId<'i> {
    fn new(text: &'i str) -> Self {
        let text = trim(text);
        Self { text, domain: Domain::parse(text).ok() }
    }

    fn judge(&self, value: &[u8]) -> Option<ForgedReason> {
        let value = &*visible(value);
        let Ok(field) = AuthenticationResults::parse(value) else { return Some(ForgedReason::Unreadable) };
        // Where the place of the authserv-id is empty, another reader may take the next word for it.
        let is_own = if field.authserv_id.is_empty() {
            field.not_understood.iter().any(|text| self.is_named_by(text.split(' ').next().unwrap_or_default()))
        } else {
            self.is_named_by(&field.authserv_id)
        };
        if is_own || (!field.not_understood.is_empty() && self.is_scattered_in(value)) {
            Some(ForgedReason::OwnAuthservId)
        } else {
            (!field.is_version_known()).then_some(ForgedReason::UnknownVersion)
        }
    }

    /// Whether what stands before the first semicolon begins with the name, white space and comments aside.
    fn is_scattered_in(&self, value: &[u8]) -> bool {
        let mut scanner = Scanner::new(value);
        let mut gathered = String::new();
        while scanner.cfws(&mut Vec::new()).is_ok() && gathered.len() < self.text.len() {
            match scanner.word() {
                Ok(word) if !word.is_empty() => gathered.push_str(&word),
                Ok(_) | Err(Unterminated) => break,
            }
        }
        !self.text.is_empty()
            && gathered.get(..self.text.len()).is_some_and(|start| start.eq_ignore_ascii_case(self.text))
    }

    fn is_named_by(&self, text: &str) -> bool {
        let same = |text: &str| {
            let text = trim(text);
            text.eq_ignore_ascii_case(self.text) || self.domain.is_some() && Domain::parse(text).ok() == self.domain
        };
        same(text) || text.split_once('/').is_some_and(|(text, _)| same(text))
    }
}

/// Without what is no part of any name.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric())
}

/// The value without characters that are not seen, by which an authserv-id may be made to look different to a program.
fn visible(value: &[u8]) -> Cow<'_, [u8]> {
    let text = String::from_utf8_lossy(value);
    let mut shown = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_line_end = c == '\n' || c == '\r' && chars.peek() == Some(&'\n');
        if c == '\t' || is_line_end || !is_escaped(c) {
            shown.push(c);
        }
    }
    if shown.len() == value.len() { Cow::Borrowed(value) } else { Cow::Owned(shown.into_bytes()) }
}
