//! What can be wrong with a term of an SPF record.

use std::fmt;

/// What can be wrong with a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Mistake {
    /// A sign stands at its end, or between two terms, where only a blank may stand (§4.6.1).
    Punctuation(char),
    /// White space other than the blank: a tab, a line end, a no-break space.
    WhiteSpace,
    /// It begins with a dash that is no `-`.
    Dash,
    /// Two terms without a blank between them.
    Glued,
    /// A qualifier alone.
    QualifierAlone,
    /// A second qualifier.
    ManyQualifiers,
    /// An octet that is not printable ASCII.
    NotPrintable(u8),
    /// Its name is that of no mechanism (§4.6.1).
    UnknownMechanism,
    /// An address, without a mechanism before it.
    AddressAlone,
    /// A domain, without a mechanism before it.
    DomainAlone,
    /// A modifier with a colon instead of the equals sign.
    ColonOfModifier,
    /// A qualifier before a modifier, which has none.
    QualifierOfModifier,
    /// A mechanism that needs a value has no colon behind its name.
    NoColon,
    /// Nothing behind the colon or the equals sign, where a domain is needed.
    NoDomain,
    /// Nothing behind the colon, where an address is needed.
    NoAddress,
    /// An address stands where a domain belongs.
    AddressForDomain,
    /// A domain stands where an address belongs.
    DomainForAddress,
    /// `ip4:` with an IPv6 address, or `ip6:` with one of IPv4.
    OtherFamily,
    /// A number of an IPv4 address has a leading zero.
    LeadingZero,
    /// A number of an IPv4 address is above 255.
    NumberTooGreat,
    /// The value of `ip4:` is no IPv4 address (§5.6).
    NotIp4,
    /// The value of `ip6:` is no IPv6 address (§5.6).
    NotIp6,
    /// The prefix length of an IPv4 address is no number from 0 to 32 (§5.6).
    Ip4Prefix,
    /// The prefix length of an IPv6 address is no number from 0 to 128 (§5.6).
    Ip6Prefix,
    /// A second prefix length without `//` before it (§5.3).
    SecondPrefix,
    /// A domain of one label (§7.1: domain-end).
    OneLabel,
    /// The last label of a domain is none that a domain may end in (§7.1: toplabel).
    LastLabel,
    /// A `%` that begins no macro (§7.1).
    Percent,
    /// A letter that is no macro (§7.2).
    MacroLetter(char),
    /// A macro that only explanations may have (§7.2).
    ExplanationMacro(char),
    /// A macro that keeps 0 labels (§7.3).
    MacroZero,
    /// A macro without its closing brace, or with something else before that (§7.1).
    MacroEnd,
    /// A second `redirect=` or `exp=` (§6).
    Repeated,
    /// Something stands behind the end of the term.
    GoesOn,
    /// Something else.
    Other,
}

/// In words that go on behind the term.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Punctuation('"') => return f.write_str("has a quotation mark where only a blank may stand"),
            Self::Punctuation(sign) => return write!(f, "has \"{sign}\" where only a blank may stand"),
            Self::NotPrintable(octet) => return write!(f, "has an octet that is not printable ASCII (\\{octet:03})"),
            Self::MacroLetter(letter) => return write!(f, "has a macro of the letter \"{letter}\", which is none"),
            Self::ExplanationMacro(letter) => {
                return write!(f, "has the macro \"{letter}\", which stands in explanations only");
            }
            Self::WhiteSpace => "has white space other than a blank in it, and terms are parted by blanks alone",
            Self::Dash => "begins with a dash that is no \"-\"",
            Self::Glued => "is two terms without a blank between them",
            Self::QualifierAlone => "is a qualifier without a mechanism",
            Self::ManyQualifiers => "has more than one qualifier",
            Self::UnknownMechanism => "is no mechanism",
            Self::AddressAlone => "is an address without a mechanism before it",
            Self::DomainAlone => "is a name without a mechanism before it",
            Self::ColonOfModifier => "has \":\" where \"=\" belongs",
            Self::QualifierOfModifier => "has a qualifier, and a modifier has none",
            Self::NoColon => "has no \":\" and value behind its name",
            Self::NoDomain => "has no domain",
            Self::NoAddress => "has no address",
            Self::AddressForDomain => "has an address where a domain belongs",
            Self::DomainForAddress => "has a name where an address belongs",
            Self::OtherFamily => "has an address of the other version of IP",
            Self::LeadingZero => "has a number with a leading zero",
            Self::NumberTooGreat => "has a number above 255",
            Self::NotIp4 => "has no IPv4 address (four numbers from 0 to 255 with dots between)",
            Self::NotIp6 => "has no IPv6 address",
            Self::Ip4Prefix => "has a prefix length that is no number from 0 to 32",
            Self::Ip6Prefix => "has a prefix length that is no number from 0 to 128",
            Self::SecondPrefix => "has a second prefix length that does not begin with \"//\"",
            Self::OneLabel => "has a domain of one label",
            Self::LastLabel => "has a domain whose last label no domain ends in",
            Self::Percent => "has a \"%\" that begins no macro (\"%%\" stands for a percent sign)",
            Self::MacroZero => "has a macro that keeps 0 labels",
            Self::MacroEnd => "has a macro that does not end in \"}\" where it should",
            Self::Repeated => "is there a second time, and once is allowed",
            Self::GoesOn => "goes on where it should end",
            Self::Other => "cannot be read",
        })
    }
}
