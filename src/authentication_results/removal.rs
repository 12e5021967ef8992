//! Forged fields are taken out of a message.

use super::{Forged, TrustBoundary};
use crate::message::{Header, HeaderField, Message};
use std::borrow::Cow;

impl Forged {
    /// The name of the field, as it is written, and which of the fields of that name it is, counted from 1 at the top: what a mail filter
    /// tells a mail server. `None` where what must go is no field.
    ///
    /// Where several are removed one by one, begin with the last, so that the others keep their numbers.
    ///
    /// ```
    /// use mailverdict::{Message, authentication_results::strip_forged};
    /// let message = Message::parse(b"Authentication-Results: b.example; none\r\nauthentication-results: a.example; spf=pass\r\n\r\n")?;
    /// let forged = strip_forged(message.header(), "a.example");
    /// assert_eq!(forged[0].place(message.header()), Some((&b"authentication-results"[..], 2)));
    /// # Ok::<(), mailverdict::message::MessageError>(())
    /// ```
    pub fn place<'m>(&self, header: &Header<'m>) -> Option<(&'m [u8], usize)> {
        let fields = header.fields();
        let name = fields.get(self.field_index)?.name();
        let is_named = |field: &&HeaderField<'_>| field.name().eq_ignore_ascii_case(name);
        Some((name, fields.get(..=self.field_index)?.iter().filter(is_named).count()))
    }
}

impl TrustBoundary {
    /// A message without the fields that must be removed from it ([`forged`](Self::forged)); each other octet stays as it is.
    ///
    /// `None` where that cannot be done, because some reader sees such a field in what is the body to others: refuse the message, or give
    /// it line ends of one kind before. An empty message is one without such fields.
    ///
    /// ```
    /// use mailverdict::authentication_results::TrustBoundary;
    /// let raw = b"From: a@b.example\r\nAuthentication-Results: mx.example.org;\r\n spf=pass\r\n\r\nHello\r\n";
    /// let without = TrustBoundary::of("mx.example.org").without_forged(raw);
    /// assert_eq!(without.as_deref(), Some(&b"From: a@b.example\r\n\r\nHello\r\n"[..]));
    /// ```
    pub fn without_forged<'m>(&self, raw: &'m [u8]) -> Option<Cow<'m, [u8]>> {
        let Ok(message) = Message::parse(raw) else { return Some(Cow::Borrowed(raw)) };
        let forged = self.forged(message.header());
        if forged.is_empty() {
            return Some(Cow::Borrowed(raw));
        }
        let rest = without(raw, &message, &forged);
        // With lines gone, others may have become what they were not.
        let is_clean = Message::parse(&rest).is_ok_and(|rest| self.forged(rest.header()).is_empty());
        (is_clean || rest.is_empty()).then_some(Cow::Owned(rest))
    }
}

fn without(raw: &[u8], message: &Message<'_>, forged: &[Forged]) -> Vec<u8> {
    let fields = message.header().fields();
    let mut indices = forged.iter().map(|forged| forged.field_index).peekable();
    let lines_go = forged.last().is_some_and(|forged| forged.field_index >= fields.len());
    let header_len = raw.len() - message.body().len();
    let mut rest = Vec::with_capacity(raw.len());
    let mut at = 0;
    for (index, field) in fields.iter().enumerate() {
        let start = offset(raw, field.raw());
        if !lines_go {
            rest.extend_from_slice(raw.get(at..start).unwrap_or_default());
        }
        if indices.next_if_eq(&index).is_none() {
            rest.extend_from_slice(field.raw());
        }
        at = start + field.raw().len();
    }
    let end = raw.get(at..header_len).unwrap_or_default();
    rest.extend_from_slice(if lines_go { empty_line(end) } else { end });
    rest.extend_from_slice(message.body());
    rest
}

/// Where a part of a message stands in it.
fn offset(raw: &[u8], part: &[u8]) -> usize {
    part.as_ptr().addr().saturating_sub(raw.as_ptr().addr())
}

/// The last of these lines, which ends the header.
fn empty_line(lines: &[u8]) -> &[u8] {
    [&b"\r\n"[..], b"\n"].into_iter().find(|end| lines.ends_with(end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(raw: &str) -> Option<String> {
        let raw = raw.replace('|', "\r\n");
        let without = TrustBoundary::of("mx.example").without_forged(raw.as_bytes())?;
        Some(String::from_utf8(without.into_owned()).unwrap().replace("\r\n", "|"))
    }

    #[test]
    fn forged_fields_go_and_all_else_stays() {
        for (raw, rest) in [
            ("A: b||body|", "A: b||body|"),
            ("", ""),
            ("Authentication-Results: mx.example; none||body", "|body"),
            ("Authentication-Results: mx.example; none", ""),
            (
                "A: 1|Authentication-Results: mx.example; none|B: 2|authentication-results: mx.example; x|C: 3||body",
                "A: 1|B: 2|C: 3||body",
            ),
            ("Authentication-Results: other.example; spf=pass||", "Authentication-Results: other.example; spf=pass||"),
            ("Authentication-Results: mx.example;| spf=pass|\tdkim=pass|A: b||", "A: b||"),
            ("From x|Authentication-Results: mx.example; none|A: b||", "From x|A: b||"),
            // The line that is no field holds one for readers who end lines at a bare CR.
            ("A: 1|no field\rAuthentication-Results: mx.example; none|B: 2||body", "A: 1|B: 2||body"),
            ("A: 1\rAuthentication-Results: mx.example; none|B: 2||body", "B: 2||body"),
        ] {
            assert_eq!(without(raw).as_deref(), Some(rest), "{raw:?}");
        }
    }

    /// To readers of CRLF alone the empty line is none, and the header goes on.
    #[test]
    fn what_others_call_the_body_is_not_touched() {
        assert_eq!(without("A: 1|\nAuthentication-Results: mx.example; none||body"), None);
    }
}
