//! Which fields of an incoming message claim to be the receiver's own (RFC 8601 §5).

use super::{AuthenticationResults, FIELD_NAME};
use crate::{
    lex::{
        encoded_word,
        structured::{Scanner, Unterminated, is_escaped},
    },
    message::{Header, HeaderField, Holder},
    name::Domain,
};
use std::borrow::Cow;

/// A field that must be removed before the message goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Forged {
    /// The place of the field among all fields of the header, from 0 at the top; the number of all of them where what must go is no field:
    /// then all lines of the header that are none ([`Header::malformations`]) must go.
    pub field_index: usize,
    /// Why it must go.
    pub reason: ForgedReason,
}

/// Why a field must be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
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
/// `authserv_id` is the receiver's own; names below it are other names. A receiver with several, or one that wants everything removed
/// that claims to come from a domain of its own, makes a [`TrustBoundary`], where the rest is said.
///
/// In a malformed header, a field of another name must go as well where some reader sees a forged one in it, as behind a bare CR.
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
    TrustBoundary::of(authserv_id).forged(header)
}

/// The services whose Authentication-Results fields are believed, so that none of theirs may come in from outside (RFC 8601 §1.2, §5).
///
/// Their names are recognised in whatever case, quoting, folding or form of their labels, in encoded words (RFC 2047), behind comments,
/// with characters in them that are not seen, and before a slash (RFC 8601 §2.5) or whatever else ends a name.
///
/// ```
/// use mailverdict::{Message, authentication_results::TrustBoundary};
/// let raw = b"Authentication-Results: mx7.example.org; spf=pass\r\nAuthentication-Results: example-auth; dkim=pass\r\n\r\n";
/// let message = Message::parse(raw)?;
/// let boundary = TrustBoundary::of("example-auth").with_names_below("example.org");
/// assert_eq!(boundary.forged(message.header()).len(), 2);
/// # Ok::<(), mailverdict::message::MessageError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustBoundary {
    own: Vec<OwnId>,
}

impl TrustBoundary {
    /// That of a receiver with one authserv-id.
    pub fn of(authserv_id: &str) -> Self {
        Self::default().with(authserv_id)
    }

    /// The same with one more authserv-id.
    #[must_use]
    pub fn with(mut self, authserv_id: &str) -> Self {
        self.own.push(OwnId::new(authserv_id, false));
        self
    }

    /// The same with `domain` and all names below it. RFC 8601 §5: what claims to have been "added within example.com" goes.
    #[must_use]
    pub fn with_names_below(mut self, domain: &str) -> Self {
        self.own.push(OwnId::new(domain, true));
        self
    }

    /// The fields that must be removed from a message that comes from outside, from the top down.
    pub fn forged(&self, header: &Header<'_>) -> Vec<Forged> {
        let judge = |field_index, field: &HeaderField<'_>| {
            self.judge(field.value()).map(|reason| Forged { field_index, reason })
        };
        let fields = header.fields().iter().enumerate().filter(|(_, field)| field.is(FIELD_NAME));
        let mut forged: Vec<Forged> = fields.filter_map(|(field_index, field)| judge(field_index, field)).collect();
        let readings = header.readings(FIELD_NAME);
        if !readings.is_empty() {
            forged.extend(readings.iter().filter_map(|reading| {
                let is_field = matches!(reading.holder, Holder::Itself | Holder::Field);
                let field_index = if is_field { reading.fields_above } else { header.fields().len() };
                judge(field_index, &reading.field)
            }));
            forged.sort_by_key(|forged| forged.field_index);
            forged.dedup_by_key(|forged| forged.field_index);
        }
        forged
    }

    fn judge(&self, value: &[u8]) -> Option<ForgedReason> {
        let value = &*visible(value);
        self.judge_as_written(value).or_else(|| {
            // RFC 2047 has no encoded words where an authserv-id stands, and some readers decode them all the same.
            let decoded = encoded_word::decoded(value)?;
            let reason = self.judge_as_written(&visible(&decoded))?;
            (reason == ForgedReason::OwnAuthservId || self.is_scattered_in(&decoded))
                .then_some(ForgedReason::OwnAuthservId)
        })
    }

    fn judge_as_written(&self, value: &[u8]) -> Option<ForgedReason> {
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

    /// Whether what stands before the first semicolon begins with one of the names, white space and comments aside.
    fn is_scattered_in(&self, value: &[u8]) -> bool {
        let mut scanner = Scanner::new(value);
        let mut gathered = String::new();
        while scanner.cfws(&mut Vec::new()).is_ok() {
            match scanner.word() {
                Ok(word) if !word.is_empty() => gathered.push_str(&word.to_ascii_lowercase()),
                Ok(_) | Err(Unterminated) => break,
            }
        }
        self.own.iter().any(|own| own.begins(&gathered))
    }

    fn is_named_by(&self, text: &str) -> bool {
        let text = trim(text);
        // RFC 8601 §2.5 has a slash before a substructure; other readers may end the name at other specials of RFC 2045 §5.1.
        let start = text.split(|c| r#"()<>@,;:\"/[]?="#.contains(c)).next().unwrap_or_default();
        [text, trim(start)].into_iter().any(|name| {
            let (lower, domain) = (name.to_ascii_lowercase(), Domain::parse(name).ok());
            self.own.iter().any(|own| own.is(&lower, domain.as_ref()))
        })
    }
}

/// An authserv-id of the receiver's own, ready for comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
struct OwnId {
    /// In lower case.
    text: String,
    domain: Option<Domain>,
    names_below: bool,
}

impl OwnId {
    fn new(text: &str, names_below: bool) -> Self {
        let text = trim(text);
        Self { text: text.to_ascii_lowercase(), domain: Domain::parse(text).ok(), names_below }
    }

    /// Whether the name is this one, or one below it where that counts.
    fn is(&self, lower: &str, domain: Option<&Domain>) -> bool {
        let same = match (domain, &self.domain) {
            (Some(domain), Some(own)) if self.names_below => domain.is_at_or_below(own),
            (Some(domain), Some(own)) => domain == own,
            (Some(_) | None, _) => false,
        };
        same || lower == self.text || (self.names_below && self.ends(lower))
    }

    fn ends(&self, lower: &str) -> bool {
        !self.text.is_empty() && lower.strip_suffix(&self.text).is_some_and(|before| before.ends_with('.'))
    }

    fn begins(&self, lower: &str) -> bool {
        let anywhere = || {
            lower
                .match_indices(&self.text)
                .any(|(at, _)| self.ends(lower.get(..at + self.text.len()).unwrap_or_default()))
        };
        !self.text.is_empty() && (lower.starts_with(&self.text) || (self.names_below && anywhere()))
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
