//! `<sender>` of `check_host()` (RFC 7208 §2.3, §2.4, §4.3), as the session or the message shows it.

use super::{
    limits::{MAX_DOMAIN, MAX_LOCAL_PART},
    result::NoneReason,
};
use crate::{
    name::{Domain, NameError},
    text::Text,
};

/// The local part that stands in for none (RFC 7208 §4.3, §2.4).
const POSTMASTER: &str = "postmaster";

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

    /// The domain as `<domain>` of `check_host()`; it shares the memory of `address`, from which it was read, where that can be.
    pub(super) fn domain(&self, address: Option<&Text>) -> Result<Domain, NoneReason> {
        if !self.has_valid_local_part() {
            return Err(NoneReason::LocalPartTooLong { octets: self.local_part.len() });
        }
        if self.domain.len() > MAX_DOMAIN {
            return Err(NoneReason::NotAName(NameError::TooLong));
        }
        // RFC 7208 §4.3: internationalized domain names are encoded as A-labels, which `Domain` does.
        let domain = match address.and_then(Text::whole) {
            Some(address) => Domain::at_end_of(address, self.domain.len()),
            None => Domain::parse(self.domain),
        };
        let domain = domain.map_err(NoneReason::NotAName)?;
        // RFC 7208 §4.3: "or is not a multi-label domain name".
        if domain.as_name().has_parent() { Ok(domain) } else { Err(NoneReason::NotFullyQualified) }
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
}
