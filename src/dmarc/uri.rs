//! Where reports are to be sent: `dmarc-urilist` of RFC 9989 §4.8.

use super::octets::{Part, printable};
use crate::{
    dns::BLOCK,
    lex::{Origin, Span, quoted::is_dot_atom},
    name::Domain,
};
use std::fmt;

/// One URI of `rua` or `ruf` (RFC 9989 §4.6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ReportUri {
    /// The URI as published, without the obsolete size.
    pub uri: Box<str>,
    /// What it leads to.
    pub target: ReportTarget,
    /// The obsolete size limit of RFC 7489 as published (`10m`); it means nothing any more (RFC 9989 §4.8).
    pub obsolete_size: Option<Box<str>>,
    #[cfg_attr(feature = "serde", serde(skip))]
    span: Origin<Option<Span>>,
}

/// What a report URI leads to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum ReportTarget {
    /// `mailto:`, the one scheme that every reporter supports.
    Mailbox {
        /// The local part with its percent-encoding undone; octets outside printable ASCII are escaped.
        local_part: Box<str>,
        /// The destination host of RFC 9990 §4.
        domain: Domain,
    },
    /// Another scheme; to be ignored by reporters that do not support it (RFC 9989 §4.7).
    Other {
        /// The scheme in lower case.
        scheme: Box<str>,
        /// The host of the URI's authority, where there is one that is a domain.
        host: Option<Domain>,
    },
}

/// Why a member of `rua` or `ruf` is no URI that reports could be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum UriError {
    /// No scheme, such as `mailto:`, stands before it (RFC 3986 §3.1).
    NoScheme,
    /// It holds octets that no URI holds as they are, such as a blank (RFC 3986 §2).
    NotUriText,
    /// What stands behind `!` is no size (RFC 9989 §4.8).
    NotASize,
    /// `mailto:` without an address that has a local part and a domain (RFC 6068 §2).
    NoAddress,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoScheme => "is no URI (mailto: is missing)",
            Self::NotUriText => "is no URI (it holds a blank or another character that no URI has)",
            Self::NotASize => "is no URI of DMARC (a ! that is part of it is written as %21)",
            Self::NoAddress => "has no address that mail could be sent to",
        })
    }
}

impl ReportUri {
    /// About how many octets of memory it takes: its text twice, in blocks of their own.
    pub(super) fn weight(&self) -> usize {
        size_of_val(self) + 2 * self.uri.len() + 4 * BLOCK
    }

    /// Reads one `dmarc-uri` or `obs-dmarc-uri`.
    ///
    /// # Errors
    /// Where it is neither, or a `mailto:` without a usable address.
    ///
    /// ```
    /// use mailverdict::dmarc::{ReportUri, UriError};
    /// assert_eq!(ReportUri::parse(b"dmarc@example.com"), Err(UriError::NoScheme));
    /// ```
    pub fn parse(text: &[u8]) -> Result<Self, UriError> {
        let (uri, obsolete_size) = match text.iter().position(|octet| *octet == b'!') {
            None => (text, None),
            Some(at) => {
                let size = text.get(at + 1..).unwrap_or_default();
                // RFC 9989 §4.8: obs-dmarc-report-size = "!" 1*DIGIT [ "k" / "m" / "g" / "t" ]
                let digits = match size.split_last() {
                    Some((unit, digits)) if b"kmgt".contains(&unit.to_ascii_lowercase()) => digits,
                    _ => size,
                };
                if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                    return Err(UriError::NotASize);
                }
                (text.get(..at).unwrap_or_default(), Some(printable(size)))
            }
        };
        let colon = memchr::memchr(b':', uri).ok_or(UriError::NoScheme)?;
        let (scheme, rest) = uri.split_at_checked(colon).ok_or(UriError::NoScheme)?;
        let rest = rest.get(1..).unwrap_or_default();
        // RFC 3986 §3.1: scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )
        let in_scheme = |octet: &u8| octet.is_ascii_alphanumeric() || b"+-.".contains(octet);
        if !scheme.first().is_some_and(u8::is_ascii_alphabetic) || !scheme.iter().all(in_scheme) {
            return Err(UriError::NoScheme);
        }
        if !is_uri_text(rest) {
            return Err(UriError::NotUriText);
        }
        let target = if scheme.eq_ignore_ascii_case(b"mailto") {
            mailbox(rest).ok_or(UriError::NoAddress)?
        } else {
            ReportTarget::Other { scheme: printable(&scheme.to_ascii_lowercase()), host: host(rest) }
        };
        Ok(Self { uri: printable(uri), target, obsolete_size, span: Origin(None) })
    }

    /// The address of a mailbox, as a header field has it. `None` for other schemes, and for a local part that is no `dot-atom`
    /// (RFC 5322 §3.4.1): what has to be quoted is nobody's mailbox for reports.
    ///
    /// ```
    /// use mailverdict::dmarc::ReportUri;
    /// assert_eq!(ReportUri::parse(b"mailto:dmarc%2Bx@example.com!10m")?.address().as_deref(), Some("dmarc+x@example.com"));
    /// assert_eq!(ReportUri::parse(b"mailto:a%0Ab@example.com")?.address(), None);
    /// # Ok::<(), mailverdict::dmarc::UriError>(())
    /// ```
    pub fn address(&self) -> Option<String> {
        match &self.target {
            ReportTarget::Mailbox { local_part, domain } if is_dot_atom(local_part) => {
                Some(format!("{local_part}@{domain}"))
            }
            ReportTarget::Mailbox { .. } | ReportTarget::Other { .. } => None,
        }
    }

    /// Where it stands in its record, with the obsolete size. `None` where it was read by itself.
    pub fn span(&self) -> Option<Span> {
        self.span.0
    }

    /// The destination host of RFC 9990 §4, by which the permission to send reports is asked for.
    pub fn host(&self) -> Option<&Domain> {
        match &self.target {
            ReportTarget::Mailbox { domain, .. } => Some(domain),
            ReportTarget::Other { host, .. } => host.as_ref(),
        }
    }
}

impl fmt::Display for ReportUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri)
    }
}

/// Reads the members of a list, in order; `Err` holds a member that is no URI, and why.
pub(super) fn uri_list(value: Part<'_>) -> impl Iterator<Item = Result<ReportUri, (Part<'_>, UriError)>> {
    value.split(b',').map(|member| {
        let member = member.trim();
        let uri = ReportUri::parse(member.text).map_err(|error| (member, error))?;
        Ok(ReportUri { span: Origin(member.span()), ..uri })
    })
}

/// The characters of RFC 3986 §2, without those that §4.8 has encoded; percent signs with two hexadecimal digits.
fn is_uri_text(text: &[u8]) -> bool {
    let mut octets = text.iter();
    while let Some(octet) = octets.next() {
        let fits = match octet {
            b'%' => (0..2).all(|_| octets.next().is_some_and(u8::is_ascii_hexdigit)),
            _ => octet.is_ascii_alphanumeric() || b"-._~:/?#[]@$&'()*+;=".contains(octet),
        };
        if !fits {
            return false;
        }
    }
    true
}

/// `addr` of RFC 6068 §2, up to the header fields.
fn mailbox(rest: &[u8]) -> Option<ReportTarget> {
    let address = decoded(rest.split(|octet| matches!(octet, b'?' | b'#')).next()?);
    let at = memchr::memrchr(b'@', &address)?;
    let (local_part, domain) = (address.get(..at)?, address.get(at + 1..)?);
    if local_part.is_empty() {
        return None;
    }
    let domain = Domain::parse(std::str::from_utf8(domain).ok()?).ok()?;
    Some(ReportTarget::Mailbox { local_part: printable(local_part), domain })
}

/// The host of `//[userinfo@]host[:port]` (RFC 3986 §3.2).
fn host(rest: &[u8]) -> Option<Domain> {
    let authority = rest.strip_prefix(b"//")?.split(|octet| b"/?#".contains(octet)).next()?;
    let host = authority.rsplit(|octet| *octet == b'@').next()?.split(|octet| *octet == b':').next()?;
    Domain::parse(std::str::from_utf8(host).ok()?).ok()
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&octet, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| octet == b'%');
        match escaped.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()) {
            Some(value) => {
                decoded.push(value);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                decoded.push(octet);
                rest = after;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailto_and_other_schemes() {
        let uri = ReportUri::parse(b"mailto:a%2Bb@Example.com?subject=x!10m").unwrap();
        assert_eq!(&*uri.uri, "mailto:a%2Bb@Example.com?subject=x");
        assert_eq!(uri.obsolete_size.as_deref(), Some("10m"));
        let domain = Domain::parse("example.com").unwrap();
        assert_eq!(uri.target, ReportTarget::Mailbox { local_part: "a+b".into(), domain: domain.clone() });
        let uri = ReportUri::parse(b"https://u@example.com:443/x").unwrap();
        assert_eq!(uri.host(), Some(&domain));
        assert_eq!(ReportUri::parse(b"tel:+1").unwrap().host(), None);
    }

    #[test]
    fn what_is_no_report_uri_says_why() {
        let texts = [
            ("", UriError::NoScheme),
            ("a@example.com", UriError::NoScheme),
            ("1x:y", UriError::NoScheme),
            (":x", UriError::NoScheme),
            ("mailto:", UriError::NoAddress),
            ("mailto:a", UriError::NoAddress),
            ("mailto:@example.com", UriError::NoAddress),
            ("mailto:a@[192.0.2.1]", UriError::NoAddress),
            ("mailto:a@b c", UriError::NotUriText),
            ("x:%zz", UriError::NotUriText),
            ("mailto:a@example.com!", UriError::NotASize),
            ("mailto:a@example.com!10x", UriError::NotASize),
            ("mailto:a@example.com!m", UriError::NotASize),
        ];
        for (text, why) in texts {
            assert_eq!(ReportUri::parse(text.as_bytes()), Err(why), "{text:?}");
        }
    }
}
