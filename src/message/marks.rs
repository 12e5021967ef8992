//! Marks in the place of local parts.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::collections::HashMap;

/// A mark for each local part that was met: the same for the same one.
#[derive(Debug, Default)]
pub(crate) struct Marks(HashMap<Vec<u8>, usize>);

/// What can stand for `@` in an address: itself, its percent-encoding in a URL, and its form in quoted-printable.
const AT: [&[u8]; 3] = [b"@", b"%40", b"=40"];

/// How a field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Tags with semicolons between them (RFC 6376 §3.2).
    Tags,
    /// `property=value`, in which the address is the value.
    Properties,
    /// Anything else.
    Text,
}

impl Form {
    fn of(name: &[u8]) -> Self {
        let is = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
        if is(&["DKIM-Signature", "ARC-Message-Signature", "ARC-Seal"]) {
            Self::Tags
        } else if is(&["Authentication-Results", "ARC-Authentication-Results", "Received-SPF"]) {
            Self::Properties
        } else {
            Self::Text
        }
    }
}

impl Marks {
    /// The mark of a local part: letters and digits, so that no macro takes it apart.
    pub(crate) fn mark(&mut self, local_part: &[u8]) -> String {
        let next = self.0.len() + 1;
        format!("redacted{}", self.0.entry(local_part.to_ascii_lowercase()).or_insert(next))
    }

    /// An address with a mark; as it is where it has no local part.
    pub(crate) fn address(&mut self, address: &str) -> String {
        match address.rsplit_once('@') {
            Some((local_part, domain)) if !local_part.is_empty() => {
                format!("{}@{domain}", self.mark(local_part.as_bytes()))
            }
            Some(_) | None => address.to_owned(),
        }
    }

    /// A header of which each field has marks.
    pub(crate) fn header(&mut self, header: &[u8]) -> Vec<u8> {
        let mut redacted = Vec::with_capacity(header.len());
        let mut rest = header;
        while !rest.is_empty() {
            let (field, after) = rest.split_at(field_len(rest));
            let name = field.split(|octet| *octet == b':').next().unwrap_or_default();
            match Form::of(name.trim_ascii_end()) {
                Form::Tags => self.tags(field, &mut redacted),
                Form::Properties => self.text(field, true, &mut redacted),
                Form::Text => self.text(field, false, &mut redacted),
            }
            rest = after;
        }
        redacted
    }

    /// The identity has a mark; what was copied of the header is left out.
    fn tags(&mut self, field: &[u8], redacted: &mut Vec<u8>) {
        let value = memchr::memchr(b':', field).map_or(field.len(), |colon| colon + 1);
        let (name, list) = field.split_at(value);
        redacted.extend_from_slice(name);
        for (place, tag) in list.split(|octet| *octet == b';').enumerate() {
            let equals = memchr::memchr(b'=', tag);
            let tag_name = equals.and_then(|equals| tag.get(..equals)).unwrap_or_default().trim_ascii();
            // RFC 6376 §3.5, z=: copies of header fields.
            if tag_name == b"z" {
                // The line end of the field stays.
                let end = if tag.ends_with(b"\r\n") { &b"\r\n"[..] } else { b"" };
                redacted.extend_from_slice(end);
                continue;
            }
            if place > 0 {
                redacted.push(b';');
            }
            match (tag_name, equals, memchr::memrchr(b'@', tag)) {
                (b"i", Some(equals), Some(at)) => {
                    let (before, rest) = tag.split_at(equals + 1);
                    let (local_part, domain) = rest.split_at(at.saturating_sub(before.len()));
                    redacted.extend_from_slice(before);
                    let local_part: Vec<u8> =
                        local_part.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
                    if !local_part.is_empty() {
                        redacted.extend_from_slice(self.mark(&local_part).as_bytes());
                    }
                    redacted.extend_from_slice(domain);
                }
                _ => redacted.extend_from_slice(tag),
            }
        }
    }

    /// Whatever looks like an address, and encoded words that hide one.
    fn text(&mut self, text: &[u8], has_properties: bool, redacted: &mut Vec<u8>) {
        // Octets before this place are written already.
        let mut written = 0;
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            if let Some(word) = encoded_word(rest) {
                let (word, _) = rest.split_at(word);
                if hides_address(word) {
                    redacted.extend_from_slice(text.get(written..at).unwrap_or_default());
                    redacted.extend_from_slice(self.mark(word).as_bytes());
                    written = at + word.len();
                }
                at += word.len();
                continue;
            }
            let Some(sign) = AT.iter().find(|sign| rest.starts_with(sign)) else {
                at += 1;
                continue;
            };
            let before = text.get(written..at).unwrap_or_default();
            let start = written + local_start(before, has_properties);
            if let Some(local_part) = text.get(start..at).filter(|local_part| !local_part.is_empty()) {
                redacted.extend_from_slice(text.get(written..start).unwrap_or_default());
                redacted.extend_from_slice(self.mark(local_part).as_bytes());
                written = at;
            }
            at += sign.len();
        }
        redacted.extend_from_slice(text.get(written..).unwrap_or_default());
    }
}

/// Octets up to the line that does not go on the one before.
fn field_len(header: &[u8]) -> usize {
    let mut len = 0;
    for line in header.split_inclusive(|octet| *octet == b'\n') {
        if len > 0 && !matches!(line.first(), Some(b' ' | b'\t')) {
            break;
        }
        len += line.len();
    }
    len
}

/// Where the local part begins that ends with this text.
fn local_start(text: &[u8], has_properties: bool) -> usize {
    if let Some(inner) = text.strip_suffix(b"\"") {
        return memchr::memrchr(b'"', inner).unwrap_or(0);
    }
    let is_local =
        |octet: &u8| !(octet.is_ascii_whitespace() || octet.is_ascii_control() || b"<>()[],;:\\\"@".contains(octet));
    let word = text.iter().rev().take_while(|octet| is_local(octet)).count();
    let start = text.len() - word;
    let equals = if has_properties { text.get(start..).and_then(|word| memchr::memchr(b'=', word)) } else { None };
    start + equals.map_or(0, |equals| equals + 1)
}

/// The length of the encoded word (RFC 2047 §2) with which a text begins: 75 characters at most, and somewhat more as it is practised.
fn encoded_word(text: &[u8]) -> Option<usize> {
    const MOST: usize = 400;
    let inner = text.get(..text.len().min(MOST))?.strip_prefix(b"=?")?;
    let charset = memchr::memchr(b'?', inner)?;
    let encoding = inner.get(charset + 1..)?;
    let [b'b' | b'B' | b'q' | b'Q', b'?', content @ ..] = encoding else { return None };
    let end = content.windows(2).position(|two| two == b"?=")?;
    Some(2 + charset + 1 + 2 + end + 2)
}

/// Whether an encoded word holds an address, or cannot be looked into.
fn hides_address(word: &[u8]) -> bool {
    let mut parts = word.split(|octet| *octet == b'?').skip(2);
    match (parts.next(), parts.next()) {
        (Some(b"b" | b"B"), Some(content)) => STANDARD.decode(content).map_or(true, |decoded| decoded.contains(&b'@')),
        (_, Some(content)) => AT.iter().any(|sign| memchr::memmem::find(content, sign).is_some()),
        (_, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(header: &str) -> String {
        String::from_utf8(Marks::default().header(header.as_bytes())).unwrap()
    }

    #[test]
    fn local_parts_have_marks_and_domains_stay() {
        for (header, expected) in [
            ("From: Alice <alice@a.example>\r\n", "From: Alice <redacted1@a.example>\r\n"),
            (
                "To: a@a.example,\r\n b@b.example, A@c.example\r\n",
                "To: redacted1@a.example,\r\n redacted2@b.example, redacted1@c.example\r\n",
            ),
            ("From: \"a b\"@a.example\r\n", "From: redacted1@a.example\r\n"),
            ("Subject: ask bob+x=y@a.example now\r\n", "Subject: ask redacted1@a.example now\r\n"),
            (
                "List-Unsubscribe: <https://a.example/?u=alice%40b.example>\r\n",
                "List-Unsubscribe: <https:redacted1%40b.example>\r\n",
            ),
            ("Subject: =?utf-8?B?YUBi?= x\r\n", "Subject: redacted1 x\r\n"),
            (
                "Subject: =?utf-8?B?YWI=?= =?utf-8?q?caf=C3=A9?=\r\n",
                "Subject: =?utf-8?B?YWI=?= =?utf-8?q?caf=C3=A9?=\r\n",
            ),
            ("From: =?utf-8?q?alice=40a.example?= <b@a.example>\r\n", "From: redacted1 <redacted2@a.example>\r\n"),
            ("Subject: a@ @b @@\r\n", "Subject: redacted1@ @b @@\r\n"),
        ] {
            assert_eq!(redacted(header), expected);
        }
    }

    #[test]
    fn what_is_evaluated_in_results_and_signatures_stays() {
        for (header, expected) in [
            (
                "Authentication-Results: mx.example; spf=pass smtp.mailfrom=bounce+a=b.example@esp.example;\r\n dkim=pass header.i=@a.example\r\n",
                "Authentication-Results: mx.example; spf=pass smtp.mailfrom=redacted1@esp.example;\r\n dkim=pass header.i=@a.example\r\n",
            ),
            (
                "DKIM-Signature: v=1; d=a.example; i=alice\r\n @a.example; z=From:a@a.example|To:b;\r\n b=abc=\r\n",
                "DKIM-Signature: v=1; d=a.example; i=redacted1@a.example;\r\n b=abc=\r\n",
            ),
            ("ARC-Seal: i=1; a=rsa-sha256; d=a.example\r\n", "ARC-Seal: i=1; a=rsa-sha256; d=a.example\r\n"),
            ("DKIM-Signature: v=1; i=@a.example; z=x@y\r\n", "DKIM-Signature: v=1; i=@a.example\r\n"),
        ] {
            assert_eq!(redacted(header), expected);
        }
    }

    /// However it is written: no time is lost on it, and all octets but local parts stay.
    #[test]
    fn many_signs_cost_no_more_than_their_number() {
        for word in ["@", "a@", "\"@", "=?b?", "=?u?q?", "=40", "\"a\"@x "] {
            let text = format!("Subject: {}\r\n", word.repeat(100_000));
            assert!(redacted(&text).ends_with("\r\n"));
        }
    }
}
