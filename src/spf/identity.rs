//! The identities that SPF checks (RFC 7208 §2.3, §2.4), as the session or the message shows them.

use crate::{
    message::Header,
    name::{Domain, Name, NameError},
    spf::result::NoneReason,
    text::Text,
};
use std::borrow::Cow;

/// Which identity was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Identity {
    /// The argument of HELO or EHLO (RFC 7208 §2.3).
    Helo,
    /// The reverse-path (RFC 7208 §2.4).
    MailFrom,
}

impl Identity {
    /// The word of the `identity` key of Received-SPF (RFC 7208 §9.1).
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Helo => "helo",
            Self::MailFrom => "mailfrom",
        }
    }
}

/// The local part that stands in for none (RFC 7208 §4.3, §2.4).
const POSTMASTER: &str = "postmaster";

/// Octets of a local part that is evaluated: four times what RFC 5321 §4.5.3.1.1 allows.
pub(super) const MAX_LOCAL_PART: usize = 4 * 64;
/// Octets of a domain that is evaluated, as it was written: four times what RFC 5321 §4.5.3.1.2 allows, for U-labels.
pub(super) const MAX_DOMAIN: usize = 4 * 255;

/// `<sender>` and its domain, not yet judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sender<'s> {
    pub(super) local_part: &'s str,
    pub(super) domain: &'s str,
}

impl<'s> Sender<'s> {
    /// The HELO identity, which is also that of a null reverse-path.
    pub(super) fn postmaster(helo: &'s str) -> Self {
        Self { local_part: POSTMASTER, domain: helo }
    }

    /// The domain stands behind the last at sign: a local part may hold others (RFC 5321 §4.1.2, `Quoted-string`).
    pub(super) fn of_mail_from(address: &'s str) -> Self {
        let address = without_source_route(address);
        let at = memchr::memrchr(b'@', address.as_bytes());
        match at.and_then(|at| Some((address.get(..at)?, address.get(at + 1..)?))) {
            // RFC 7208 §4.3: without a local part, "postmaster".
            Some(("", domain)) => Self { local_part: POSTMASTER, domain },
            Some((local_part, domain)) => Self { local_part, domain },
            None => Self { local_part: POSTMASTER, domain: address },
        }
    }

    /// Whether `address` is `<sender>` with this domain.
    #[inline]
    pub(super) fn is(&self, address: &str, domain: &str) -> bool {
        let rest = address.strip_prefix(self.local_part).and_then(|rest| rest.strip_prefix('@'));
        rest.is_some_and(|rest| rest == domain)
    }

    /// `<sender>`, with the domain in this form; `address` is what it was read from, and is shared where it is just that.
    pub(super) fn with_domain(&self, domain: &str, address: Option<&Text>) -> Text {
        let is_it = |address: &&Text| self.is(address, domain);
        address.filter(is_it).cloned().unwrap_or_else(|| Text::of(&format_args!("{}@{domain}", self.local_part)))
    }

    /// RFC 7208 §2.6.1: with a local part that no SMTP client may send, there is no sender that could be authorized. Macros would
    /// have records, and so questions, made of it.
    pub(super) fn has_valid_local_part(&self) -> bool {
        self.local_part.len() <= MAX_LOCAL_PART
    }

    /// The domain as `<domain>` of `check_host()`.
    pub(super) fn domain(&self) -> Result<Name, NoneReason> {
        if !self.has_valid_local_part() {
            return Err(NoneReason::LocalPartTooLong { octets: self.local_part.len() });
        }
        if self.domain.len() > MAX_DOMAIN {
            return Err(NoneReason::NotAName(NameError::TooLong));
        }
        // RFC 7208 §4.3: internationalized domain names are encoded as A-labels, which `Domain` does.
        let domain = Domain::parse(self.domain).map_err(NoneReason::NotAName)?;
        // RFC 7208 §4.3: "or is not a multi-label domain name".
        if !domain.as_name().has_parent() { Err(NoneReason::NotFullyQualified) } else { Ok(domain.into()) }
    }
}

/// RFC 5321 Appendix C: `@ONE,@TWO:JOE@THREE` is `JOE@THREE` (RFC 7208 §11.5.2 warns of a domain taken from the route).
fn without_source_route(address: &str) -> &str {
    let in_route = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | ',' | '.' | '-' | '_');
    if !address.starts_with('@') {
        return address;
    }
    match address.split_once(':') {
        Some((route, mailbox)) if route.chars().all(in_route) && mailbox.contains('@') => mailbox,
        _ => address,
    }
}

/// The reverse-path in the topmost Return-Path field, without angle brackets; empty for the null path. `None` where there is no
/// such field, or nothing that can be read in it.
pub(crate) fn return_path<'h>(header: &'h Header<'_>) -> Option<Cow<'h, str>> {
    let value = header.named("Return-Path").next()?.value();
    path(std::str::from_utf8(value).ok()?)
}

/// `path = angle-addr / ([CFWS] "<" [CFWS] ">" [CFWS])` (RFC 5322 §3.6.7), and an address without brackets, as some write it.
fn path(value: &str) -> Option<Cow<'_, str>> {
    let plain = value.trim();
    let inner = plain.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(plain);
    let special = |c: char| c.is_ascii_whitespace() || matches!(c, '<' | '>' | '(' | ')' | '"' | '\\' | '\0');
    if !inner.contains(special) {
        return (inner.len() < plain.len() || !inner.is_empty()).then_some(Cow::Borrowed(inner));
    }
    let mut scan = Scan::default();
    for c in value.chars() {
        scan.step(c);
    }
    scan.finish().map(Cow::Owned)
}

/// Reads a path with comments, quoted strings and folds, a character at a time.
#[derive(Debug, Default)]
struct Scan {
    /// What counts so far: within the brackets, once one was seen.
    kept: String,
    /// Depth of nested comments; a counter, so that no depth is too deep.
    comments: usize,
    in_quotes: bool,
    escaped: bool,
    brackets: Brackets,
    malformed: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Brackets {
    #[default]
    None,
    Open,
    Closed,
}

impl Scan {
    fn step(&mut self, c: char) {
        if self.comments > 0 {
            match c {
                _ if self.escaped => self.escaped = false,
                '\\' => self.escaped = true,
                '(' => self.comments += 1,
                ')' => self.comments -= 1,
                _ => {}
            }
        } else if self.in_quotes {
            match c {
                '\r' | '\n' => return,
                _ if self.escaped => self.escaped = false,
                '\\' => self.escaped = true,
                '"' => self.in_quotes = false,
                _ => {}
            }
            self.kept.push(c);
        } else {
            match c {
                ' ' | '\t' | '\r' | '\n' => {}
                '(' => self.comments = 1,
                _ if self.brackets == Brackets::Closed => self.malformed = true,
                '<' if self.brackets == Brackets::None && self.kept.is_empty() => self.brackets = Brackets::Open,
                '>' if self.brackets == Brackets::Open => self.brackets = Brackets::Closed,
                '<' | '>' | ')' | '\\' | '\0' => self.malformed = true,
                '"' => {
                    self.in_quotes = true;
                    self.kept.push(c);
                }
                _ => self.kept.push(c),
            }
        }
    }

    fn finish(self) -> Option<String> {
        let whole = self.comments == 0 && !self.in_quotes && !self.malformed;
        let bracketed = match self.brackets {
            Brackets::Closed => true,
            Brackets::Open => false,
            Brackets::None => !self.kept.is_empty(),
        };
        (whole && bracketed).then_some(self.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_stands_behind_the_last_at_sign() {
        for (address, local_part, domain) in [
            ("a@example.com", "a", "example.com"),
            ("@example.com", "postmaster", "example.com"),
            ("example.com", "postmaster", "example.com"),
            ("\"a@b\"@example.com", "\"a@b\"", "example.com"),
            ("a@b@example.com", "a@b", "example.com"),
            ("@a.example,@b.example:c@example.com", "c", "example.com"),
            ("a:b@example.com", "a:b", "example.com"),
            ("a@[IPv6:2001:db8::1]", "a", "[IPv6:2001:db8::1]"),
            ("a@", "a", ""),
        ] {
            assert_eq!(Sender::of_mail_from(address), Sender { local_part, domain }, "{address}");
        }
    }

    #[test]
    fn an_address_that_is_the_sender_is_shared() {
        for (address, sender) in [
            ("a@example.com", "a@example.com"),
            ("a@Example.com", "a@example.com"),
            ("@example.com", "postmaster@example.com"),
            ("@b.example:a@example.com", "a@example.com"),
        ] {
            let text = Text::from(address);
            let read = Sender::of_mail_from(address);
            let whole = read.with_domain("example.com", Some(&text));
            assert_eq!(&*whole, sender);
            assert_eq!(whole.as_ptr() == text.as_ptr(), address == sender, "{address}");
            assert_eq!(read.with_domain("example.com", None), whole);
        }
    }

    #[test]
    fn a_return_path_is_read_with_all_that_rfc_5322_allows_around_it() {
        for (value, expected) in [
            (" <a@example.com>\r\n", Some("a@example.com")),
            (" a@example.com\r\n", Some("a@example.com")),
            (" <>\r\n", Some("")),
            (" < >\r\n", Some("")),
            (" <(nobody)> (null)\r\n", Some("")),
            (" (x (y\\)) <z>) <a@example.com> (w)\r\n", Some("a@example.com")),
            ("\r\n\t<a@\r\n example.com>\r\n", Some("a@example.com")),
            (" <\"a b>\\\"\"@example.com>\r\n", Some("\"a b>\\\"\"@example.com")),
            (" <@b.example:a@example.com>\r\n", Some("@b.example:a@example.com")),
            (" \r\n", None),
            (" (only a comment)\r\n", None),
            (" <a@example.com\r\n", None),
            (" <a@example.com> b@example.net\r\n", None),
            (" a <b@example.com>\r\n", None),
            (" <\"a@example.com>\r\n", None),
        ] {
            assert_eq!(path(value).as_deref(), expected, "{value:?}");
        }
    }
}
