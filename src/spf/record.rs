//! An SPF record, taken apart (RFC 7208 §4.5 to §6).

use super::{
    macro_string::{DomainSpec, MacroString},
    parse,
};
use crate::{
    dns::BLOCK,
    lex::{DottedQuad, Origin, Span, SyntaxError, parse_all},
};
use ipnet::{Ipv4Net, Ipv6Net};
use std::fmt;

/// An SPF record. Every value of this type can be written as a record that reads as the same value.
///
/// ```
/// use mailverdict::spf::{Directive, Mechanism, Modifier, Qualifier, Record};
/// let record = Record::parse(b"V=spf1  IP4:192.0.2.0/24 redirect=_spf.example.com mx -all")?;
/// assert_eq!(record.to_string(), "v=spf1 ip4:192.0.2.0/24 mx -all redirect=_spf.example.com");
///
/// let made = Record {
///     directives: vec![
///         Directive::new(Qualifier::Pass, Mechanism::Include("_spf.example.com".parse()?)),
///         Directive::new(Qualifier::Fail, Mechanism::All),
///     ],
///     exp: Some(Modifier::new("why.example.com".parse()?)),
///     ..Record::default()
/// };
/// assert_eq!(made.to_string(), "v=spf1 include:_spf.example.com -all exp=why.example.com");
/// # Ok::<(), mailverdict::SyntaxError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The directives, in the order in which they are tried.
    pub directives: Vec<Directive>,
    /// `redirect=` (§6.1); ignored where there is an `all`.
    pub redirect: Option<Modifier>,
    /// `exp=` (§6.2).
    pub exp: Option<Modifier>,
    /// All other modifiers, which have no effect (§6).
    pub unknown_modifiers: Vec<UnknownModifier>,
}

/// A mechanism with its qualifier (§4.6.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Directive {
    /// The result if the mechanism matches.
    pub qualifier: Qualifier,
    /// What is compared with the client.
    pub mechanism: Mechanism,
    pub(super) span: Origin<Option<Span>>,
}

/// The result that a matching directive causes (§4.6.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Qualifier {
    /// `+`, or nothing.
    #[default]
    Pass,
    /// `-`
    Fail,
    /// `~`
    SoftFail,
    /// `?`
    Neutral,
}

/// A test of the client (§5).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// Always matches (§5.1).
    All,
    /// Matches where the check of another domain passes (§5.2).
    Include(DomainSpec),
    /// Matches an address of a host (§5.3).
    A(HostSpec),
    /// Matches an address of a mail host (§5.4).
    Mx(HostSpec),
    /// Matches a validated name of the client (§5.5); without a domain specification the domain of the record.
    Ptr(Option<DomainSpec>),
    /// Matches an IPv4 network (§5.6).
    Ip4(Ipv4Net),
    /// Matches an IPv6 network (§5.6).
    Ip6(Ipv6Net),
    /// Matches where a name has an A record (§5.7).
    Exists(DomainSpec),
}

/// What `a` and `mx` look up and how they compare (§5.3, §5.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct HostSpec {
    /// Without one, the domain of the record.
    pub domain: Option<DomainSpec>,
    /// How many bits of an IPv4 address are compared; without a number, all.
    pub ip4_prefix_len: PrefixLen<32>,
    /// How many bits of an IPv6 address are compared; without a number, all.
    pub ip6_prefix_len: PrefixLen<128>,
}

/// A number of leading bits from 0 to `MAX`; by default `MAX`, which is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PrefixLen<const MAX: u8>(u8);

/// A modifier that RFC 7208 defines, `redirect` or `exp` (§6.1, §6.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Modifier {
    /// What stands behind the equals sign.
    pub domain: DomainSpec,
    pub(super) span: Origin<Option<Span>>,
}

/// A modifier that RFC 7208 does not define (§6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnknownModifier {
    name: Box<str>,
    value: MacroString,
    pub(super) span: Origin<Option<Span>>,
}

/// A term of a record (§4.6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Term<'r> {
    /// A mechanism with its qualifier.
    Directive(&'r Directive),
    /// `redirect=`
    Redirect(&'r Modifier),
    /// `exp=`
    Exp(&'r Modifier),
    /// Any other modifier.
    UnknownModifier(&'r UnknownModifier),
}

impl Record {
    /// Reads a record (§4.6: a syntax error anywhere spoils the whole).
    ///
    /// # Errors
    /// [`SyntaxError`] says where, and which rule of §12 was expected there.
    pub fn parse(text: &[u8]) -> Result<Self, SyntaxError> {
        parse_all(text, parse::record)
    }

    /// About how many octets of memory it takes.
    pub(super) fn weight(&self) -> usize {
        let strings = self.terms_by_kind().filter_map(Term::macro_string);
        size_of_val(&*self.directives)
            + size_of_val(&*self.unknown_modifiers)
            // A string has a block of memory or two for itself, and modifiers have one for their names.
            + strings.map(|string| size_of_val(string.parts()) + 2 * BLOCK).sum::<usize>()
    }

    /// Whether a TXT record has the version section of an SPF record: exactly `v=spf1`, and then a space or the end (§4.5).
    pub fn has_version(text: &[u8]) -> bool {
        // §12: literal text is case-insensitive.
        match text.split_at_checked(6) {
            Some((version, rest)) => version.eq_ignore_ascii_case(b"v=spf1") && matches!(rest, [] | [b' ', ..]),
            None => false,
        }
    }

    /// All terms in the order of the text. Those that were made, and not read, come before all others.
    ///
    /// ```
    /// use mailverdict::spf::Record;
    /// let text = b"v=spf1 Redirect=example.net  mx x=y";
    /// let record = Record::parse(text)?;
    /// let spans = record.terms().into_iter().filter_map(|term| term.span());
    /// let quoted: Vec<&[u8]> = spans.filter_map(|span| span.of(text)).collect();
    /// assert_eq!(quoted, [&b"Redirect=example.net"[..], b"mx", b"x=y"]);
    /// # Ok::<(), mailverdict::SyntaxError>(())
    /// ```
    pub fn terms(&self) -> Vec<Term<'_>> {
        let mut terms: Vec<_> = self.terms_by_kind().collect();
        terms.sort_by_key(|term| term.span().map(Span::offset));
        terms
    }

    /// All terms in the order in which they are written.
    fn terms_by_kind(&self) -> impl Iterator<Item = Term<'_>> {
        let directives = self.directives.iter().map(Term::Directive);
        let modifiers = self.redirect.iter().map(Term::Redirect).chain(self.exp.iter().map(Term::Exp));
        directives.chain(modifiers).chain(self.unknown_modifiers.iter().map(Term::UnknownModifier))
    }

    /// The `redirect` that follows when nothing matches: none where there is an `all` (§5.1, §6.1).
    pub fn effective_redirect(&self) -> Option<&Modifier> {
        let has_all = || self.directives.iter().any(|directive| matches!(directive.mechanism, Mechanism::All));
        self.redirect.as_ref().filter(|_| !has_all())
    }
}

impl std::str::FromStr for Record {
    type Err = SyntaxError;
    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        Self::parse(text.as_bytes())
    }
}

impl std::str::FromStr for Directive {
    type Err = SyntaxError;
    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        parse_all(text.as_bytes(), parse::directive)
    }
}

impl<const MAX: u8> PrefixLen<MAX> {
    /// `None` where `bits` is greater than `MAX`.
    pub fn new(bits: u8) -> Option<Self> {
        (bits <= MAX).then_some(Self(bits))
    }

    /// How many bits are compared.
    pub fn bits(self) -> u8 {
        self.0
    }
}

impl<const MAX: u8> Default for PrefixLen<MAX> {
    fn default() -> Self {
        Self(MAX)
    }
}

impl Directive {
    /// A directive that was not read from a record.
    pub const fn new(qualifier: Qualifier, mechanism: Mechanism) -> Self {
        Self { qualifier, mechanism, span: Origin(None) }
    }

    /// Where it stands in its record, with its qualifier as far as that is written. `None` where it was made, or read by itself.
    pub fn span(&self) -> Option<Span> {
        self.span.0
    }
}

impl Modifier {
    /// A modifier that was not read from a record.
    pub const fn new(domain: DomainSpec) -> Self {
        Self { domain, span: Origin(None) }
    }

    /// Where it stands in its record, with its name. `None` where it was made.
    pub fn span(&self) -> Option<Span> {
        self.span.0
    }
}

impl UnknownModifier {
    /// A modifier of this name.
    ///
    /// # Errors
    /// [`SyntaxError`] where `name` is no modifier name, or one that RFC 7208 defines.
    pub fn new(name: &str, value: MacroString) -> Result<Self, SyntaxError> {
        parse_all(name.as_bytes(), parse::unknown_name).map(|name| Self {
            name: name.into(),
            value,
            span: Origin(None),
        })
    }

    /// The name, as written.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What stands behind the equals sign.
    pub fn value(&self) -> &MacroString {
        &self.value
    }

    /// Where it stands in its record, with its name. `None` where it was made.
    pub fn span(&self) -> Option<Span> {
        self.span.0
    }
}

impl<'r> Term<'r> {
    /// Where it stands in its record. `None` where it was made.
    pub fn span(self) -> Option<Span> {
        match self {
            Self::Directive(directive) => directive.span(),
            Self::Redirect(modifier) | Self::Exp(modifier) => modifier.span(),
            Self::UnknownModifier(modifier) => modifier.span(),
        }
    }

    fn macro_string(self) -> Option<&'r MacroString> {
        match self {
            Self::Directive(directive) => directive.mechanism.domain_spec().map(DomainSpec::macro_string),
            Self::Redirect(modifier) | Self::Exp(modifier) => Some(modifier.domain.macro_string()),
            Self::UnknownModifier(modifier) => Some(modifier.value()),
        }
    }
}

impl Mechanism {
    fn domain_spec(&self) -> Option<&DomainSpec> {
        match self {
            Self::Include(spec) | Self::Exists(spec) => Some(spec),
            Self::A(host) | Self::Mx(host) => host.domain.as_ref(),
            Self::Ptr(spec) => spec.as_ref(),
            Self::All | Self::Ip4(_) | Self::Ip6(_) => None,
        }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("v=spf1")?;
        self.terms_by_kind().try_for_each(|term| write!(f, " {term}"))
    }
}

impl fmt::Display for Term<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directive(directive) => directive.fmt(f),
            Self::Redirect(modifier) => write!(f, "redirect={}", modifier.domain),
            Self::Exp(modifier) => write!(f, "exp={}", modifier.domain),
            Self::UnknownModifier(modifier) => modifier.fmt(f),
        }
    }
}

/// The directive as it stands in a record; the qualifier `+` is not written.
impl fmt::Display for Directive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.qualifier.fmt(f)?;
        self.mechanism.fmt(f)
    }
}

impl fmt::Display for Qualifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "",
            Self::Fail => "-",
            Self::SoftFail => "~",
            Self::Neutral => "?",
        })
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Include(domain) => {
                f.write_str("include:")?;
                domain.fmt(f)
            }
            Self::A(host) => write!(f, "a{host}"),
            Self::Mx(host) => write!(f, "mx{host}"),
            Self::Ptr(None) => f.write_str("ptr"),
            Self::Ptr(Some(domain)) => write!(f, "ptr:{domain}"),
            Self::Ip4(net) => {
                f.write_str("ip4:")?;
                DottedQuad(net.addr()).fmt(f)?;
                if net.prefix_len() < 32 { write!(f, "/{}", net.prefix_len()) } else { Ok(()) }
            }
            Self::Ip6(net) if net.prefix_len() == 128 => write!(f, "ip6:{}", net.addr()),
            Self::Ip6(net) => write!(f, "ip6:{net}"),
            Self::Exists(domain) => write!(f, "exists:{domain}"),
        }
    }
}

/// What follows the mechanism's name.
impl fmt::Display for HostSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(domain) = &self.domain {
            write!(f, ":{domain}")?;
        }
        if self.ip4_prefix_len != PrefixLen::default() {
            write!(f, "/{}", self.ip4_prefix_len.bits())?;
        }
        if self.ip6_prefix_len != PrefixLen::default() {
            write!(f, "//{}", self.ip6_prefix_len.bits())?;
        }
        Ok(())
    }
}

impl fmt::Display for UnknownModifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}
