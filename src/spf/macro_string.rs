//! Macro strings (RFC 7208 §7.1) and the domain specifications made of them (§4.8).

use super::parse;
use crate::{
    lex::SyntaxError,
    lex::parse_all,
    name::{MAX_NAME_LEN, Name},
};
use smallvec::SmallVec;
use std::{fmt, sync::Arc};

/// `macro-string`: literal text and macros.
///
/// ```
/// use mailverdict::spf::MacroString;
/// let string: MacroString = "%{l1r-}.lp._spf.%{d2}".parse()?;
/// assert_eq!(string.parts().len(), 3);
/// assert_eq!(string.to_string(), "%{l1r-}.lp._spf.%{d2}");
/// # Ok::<(), mailverdict::SyntaxError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MacroString(SmallVec<[MacroPart; 1]>);

/// A stretch of a [`MacroString`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MacroPart {
    /// `macro-literal`, as many as there are in a row.
    Literal(Arc<str>),
    /// `%{…}`
    Expand(Macro),
    /// `%%`: a per cent sign.
    Percent,
    /// `%_`: a space.
    Space,
    /// `%-`: a space as URLs write it, `%20`.
    UrlSpace,
}

/// `%{…}`: a letter, what is kept of its value, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Macro {
    /// What it stands for.
    pub letter: MacroLetter,
    /// Whether the letter is upper case: then the value is URL-escaped.
    pub url_escape: bool,
    /// How many parts are kept, counted from the right after the reversal; never 0. Numbers beyond `u32` mean the same as the
    /// greatest `u32`: all parts.
    pub keep_right: Option<u32>,
    /// Whether the parts are reversed.
    pub reverse: bool,
    /// Where the value is split into parts; none written means at dots.
    pub delimiters: Delimiters,
}

/// `macro-letter` (RFC 7208 §7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MacroLetter {
    /// `s`: `<sender>`.
    Sender,
    /// `l`: the local part of `<sender>`.
    LocalPart,
    /// `o`: the domain of `<sender>`.
    SenderDomain,
    /// `d`: `<domain>`, whose record is evaluated.
    Domain,
    /// `i`: `<ip>`, with dots.
    Ip,
    /// `p`: the validated domain name of `<ip>`, or `unknown`.
    ValidatedDomain,
    /// `v`: `in-addr` or `ip6`.
    IpVersion,
    /// `h`: the argument of HELO.
    Helo,
    /// `c`: `<ip>` for human readers; in explanations only.
    ReadableIp,
    /// `r`: the receiving host; in explanations only.
    Receiver,
    /// `t`: seconds since 1970; in explanations only.
    Timestamp,
}

/// A set of `delimiter`s, written in the order of the grammar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Delimiters(u8);

/// `domain-spec` (RFC 7208 §7.1): a macro string that ends in a top label or a macro.
///
/// ```
/// use mailverdict::spf::DomainSpec;
/// assert!("%{ir}._spf.example.com".parse::<DomainSpec>().is_ok());
/// let error = "_spf.192".parse::<DomainSpec>().unwrap_err();
/// assert_eq!((error.offset, &*error.expected), (5, "toplabel"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DomainSpec {
    string: MacroString,
    /// The target name, where no macro can change it.
    literal: Option<Name>,
}

impl MacroString {
    pub(super) fn new(parts: SmallVec<[MacroPart; 1]>) -> Self {
        Self(parts)
    }

    /// The parts; no two literals stand side by side.
    pub fn parts(&self) -> &[MacroPart] {
        &self.0
    }

    /// Whether a macro of this letter is among the parts.
    pub(super) fn uses(&self, letter: MacroLetter) -> bool {
        self.0.iter().any(|part| matches!(part, MacroPart::Expand(used) if used.letter == letter))
    }
}

impl std::str::FromStr for MacroString {
    type Err = SyntaxError;
    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        parse_all(text.as_bytes(), parse::macro_string)
    }
}

impl DomainSpec {
    pub(super) fn new(string: MacroString) -> Self {
        let literal = match string.parts() {
            [MacroPart::Literal(text)] if text.len() <= MAX_NAME_LEN => Name::of_shared(text).ok(),
            [MacroPart::Literal(text)] => Name::parse(truncate(text)).ok(),
            _ => None,
        };
        Self { string, literal }
    }

    /// The macro string.
    pub fn macro_string(&self) -> &MacroString {
        &self.string
    }

    /// The target name, where the specification holds no macro and is a name.
    pub fn literal(&self) -> Option<&Name> {
        self.literal.as_ref()
    }
}

impl std::str::FromStr for DomainSpec {
    type Err = SyntaxError;
    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        parse_all(text.as_bytes(), |input| parse::domain_spec(input, input.len()))
    }
}

impl MacroLetter {
    /// The letter in lower case.
    pub fn as_char(self) -> char {
        match self {
            Self::Sender => 's',
            Self::LocalPart => 'l',
            Self::SenderDomain => 'o',
            Self::Domain => 'd',
            Self::Ip => 'i',
            Self::ValidatedDomain => 'p',
            Self::IpVersion => 'v',
            Self::Helo => 'h',
            Self::ReadableIp => 'c',
            Self::Receiver => 'r',
            Self::Timestamp => 't',
        }
    }

    /// The letter of this octet, in whatever case.
    pub(super) fn of(octet: u8) -> Option<Self> {
        Some(match octet.to_ascii_lowercase() {
            b's' => Self::Sender,
            b'l' => Self::LocalPart,
            b'o' => Self::SenderDomain,
            b'd' => Self::Domain,
            b'i' => Self::Ip,
            b'p' => Self::ValidatedDomain,
            b'v' => Self::IpVersion,
            b'h' => Self::Helo,
            b'c' => Self::ReadableIp,
            b'r' => Self::Receiver,
            b't' => Self::Timestamp,
            _ => return None,
        })
    }

    /// Whether the letter has a meaning in explanations only (RFC 7208 §7.2).
    pub(super) fn is_for_explanations(self) -> bool {
        matches!(self, Self::ReadableIp | Self::Receiver | Self::Timestamp)
    }
}

impl Delimiters {
    const ALL: [char; 7] = ['.', '-', '+', ',', '/', '_', '='];

    /// The set of the delimiters of `text`; `None` where another character is among them.
    pub fn parse(text: &str) -> Option<Self> {
        let bit = |c| Self::ALL.iter().position(|delimiter| *delimiter == c).map(|index| 1_u8 << index);
        text.chars().try_fold(0, |bits, c| Some(bits | bit(c)?)).map(Self)
    }

    /// Whether no delimiter was written.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a value is split at `c`.
    pub fn contains(self, c: char) -> bool {
        self.chars().any(|delimiter| delimiter == c)
    }

    fn chars(self) -> impl Iterator<Item = char> {
        Self::ALL.into_iter().enumerate().filter(move |(index, _)| self.0 & (1 << index) != 0).map(|(_, c)| c)
    }
}

impl fmt::Display for MacroString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| part.fmt(f))
    }
}

impl fmt::Display for MacroPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => f.write_str(text),
            Self::Expand(expand) => expand.fmt(f),
            Self::Percent => f.write_str("%%"),
            Self::Space => f.write_str("%_"),
            Self::UrlSpace => f.write_str("%-"),
        }
    }
}

impl fmt::Display for Macro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = self.letter.as_char();
        write!(f, "%{{{}", if self.url_escape { letter.to_ascii_uppercase() } else { letter })?;
        if let Some(keep_right) = self.keep_right {
            write!(f, "{keep_right}")?;
        }
        if self.reverse {
            f.write_str("r")?;
        }
        self.delimiters.fmt(f)?;
        f.write_str("}")
    }
}

impl fmt::Display for Delimiters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|c| fmt::Write::write_char(f, c))
    }
}

impl fmt::Display for DomainSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.string.fmt(f)
    }
}

/// RFC 7208 §7.3: labels and their dots are removed from the left until no more than 253 characters are left. A final dot is
/// no part of the length. Where the last label alone is longer, it stays, to be refused as a name.
pub(super) fn truncate(text: &str) -> &str {
    let name = text.strip_suffix('.').unwrap_or(text);
    let Some(excess) = name.len().checked_sub(MAX_NAME_LEN).filter(|excess| *excess > 0) else { return text };
    // The first dot with at most that many characters behind it.
    match name.as_bytes().get(excess - 1..).and_then(|rest| memchr::memchr(b'.', rest)) {
        Some(dot) => text.get(excess + dot..).unwrap_or(text),
        None => text,
    }
}
