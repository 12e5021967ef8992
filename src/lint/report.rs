//! What a look at a domain came to.

use crate::{
    dmarc::Disposition,
    dns::Mx,
    finding::Finding,
    known::Log,
    name::{Domain, Name, shown},
    report::Destination,
    spf::SpfReport,
};
use std::{fmt, net::IpAddr};

/// What a domain publishes, and what is to be said of it.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Report {
    /// The domain.
    pub domain: Domain,
    /// Its SPF record; `None` where it has none, or that is not known.
    pub spf: Option<SpfPublished>,
    /// The DMARC record that applies to it; `None` where there is none, or that is not known.
    pub dmarc: Option<DmarcPublished>,
    /// Its mail hosts, in the order in which they are tried.
    #[cfg_attr(feature = "serde", serde(serialize_with = "mail_hosts"))]
    pub mx: Vec<Mx>,
    /// The keys of the selectors that were given, or taken from messages.
    pub dkim: Vec<KeyPublished>,
    /// What the hosts meet that were given as senders.
    pub senders: Vec<Sender>,
    /// The records of TLS reports, MTA-STS and BIMI. Of the last two, what they lead to has to be fetched from the web, and is not.
    pub texts: Vec<OtherText>,
    /// The worst first; those that are as bad as each other stand in the order of the records.
    pub findings: Vec<Finding>,
    /// Records that could be published in place of those at their names, where that can be computed.
    pub corrections: Vec<Correction>,
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) log: Log,
}

/// A record to be published in place of what stands at its name: terms are mended, several records are one, what is not needed is
/// left out. A look at it finds no error, nor a warning about one of its terms.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Correction {
    /// Where.
    pub name: Name,
    /// Its text.
    pub record: Box<str>,
}

/// Octets of a character-string (RFC 1035 §3.3).
const MAX_STRING: usize = 255;

impl Correction {
    /// The text in character-strings of no more than 255 octets, each but the last ending in a blank where there is one.
    pub fn strings(&self) -> Vec<&str> {
        let mut strings = Vec::new();
        let mut rest = &*self.record;
        while rest.len() > MAX_STRING {
            let most = rest.get(..MAX_STRING).unwrap_or_default();
            let end = most.rfind(' ').map_or(most.len().max(1), |blank| blank + 1);
            let Some((string, more)) = rest.split_at_checked(end) else { break };
            strings.push(string);
            rest = more;
        }
        strings.push(rest);
        strings
    }
}

/// As a line of a master file (RFC 1035 §5.1).
impl fmt::Display for Correction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. TXT", shown(&self.name))?;
        self.strings()
            .iter()
            .try_for_each(|string| write!(f, " \"{}\"", string.replace('\\', "\\\\").replace('"', "\\\"")))
    }
}

/// `name`, `record`, and `line`, to be pasted.
#[cfg(feature = "serde")]
impl serde::Serialize for Correction {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut fields = serializer.serialize_struct("Correction", 3)?;
        fields.serialize_field("name", &self.name)?;
        fields.serialize_field("record", &self.record)?;
        fields.serialize_field("line", &self.to_string())?;
        fields.end()
    }
}

/// The SPF records of a domain, and what they come to.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SpfPublished {
    /// The name of the record.
    pub name: Name,
    /// Its text, printable; `None` where there are several.
    pub record: Option<Box<str>>,
    /// Terms that ask the DNS (RFC 7208 §4.6.4), past the limit, for a client that no term matches.
    pub lookups: usize,
    /// The same for a client that the first term with addresses matches.
    pub least_lookups: usize,
    /// Of them, those that ask for what is not there, for the family of clients that has more of them.
    pub void_lookups: usize,
    /// The terms of the whole tree in the order of evaluation.
    pub terms: Vec<SpfTerm>,
    /// IPv4 addresses that the records allow, each counted once; also where a record is in the way that cannot be evaluated.
    pub ipv4_addresses: u64,
    /// As few IPv6 networks as hold all addresses that they allow.
    pub ipv6_prefixes: usize,
}

/// The DMARC record that applies to a domain, and what it comes to.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct DmarcPublished {
    /// The name of the record.
    pub name: Name,
    /// Its text, printable.
    pub record: Box<str>,
    /// The organizational domain (RFC 9989 §4.10.2); `None` where the DNS left that open.
    pub organizational_domain: Option<Domain>,
    /// What receivers do with mail of the domain itself that fails, before `t=y`.
    pub policy: Disposition,
    /// The same of a subdomain that exists and has no record of its own.
    pub subdomain_policy: Disposition,
    /// The same of a subdomain that does not exist.
    pub nonexistent_policy: Disposition,
    /// Whether `t=y` lowers all of them.
    pub testing: bool,
    /// What receivers come to that follow RFC 7489, where that is otherwise.
    pub rfc7489: Option<OlderPolicies>,
    /// Where reports are wanted, and whether they may be sent there.
    pub destinations: Vec<Destination>,
}

/// The policies of a record by RFC 7489.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct OlderPolicies {
    /// Of the domain itself.
    pub policy: Disposition,
    /// Of a subdomain, whether or not it exists.
    pub subdomain_policy: Disposition,
    /// To how many of 100 messages they apply.
    pub percent: u8,
}

/// What stands at the name of a key.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct KeyPublished {
    /// The selector.
    pub selector: Box<str>,
    /// The name of the record.
    pub name: Name,
    /// The names that aliases (CNAME records) lead to, in order.
    pub aliases: Vec<Name>,
    /// The text, printable; `None` where there is none, or several.
    pub record: Option<Box<str>>,
    /// `rsa` or `ed25519`, as the record says.
    pub key_type: Option<Box<str>>,
    /// The size of the key, where it is one.
    pub bits: Option<usize>,
}

/// A host that sends.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Sender {
    /// Its address.
    pub ip: IpAddr,
    /// The names of the address, those first that lead back to it.
    pub names: Vec<Name>,
    /// Whether the first of them leads back to it.
    #[cfg_attr(feature = "serde", serde(rename = "confirmed"))]
    pub is_confirmed: bool,
    /// What SPF comes to for mail that it sends from `postmaster` at the domain; `None` where that is not known.
    pub spf: Option<SpfReport>,
}

/// A text that is none of SPF, DKIM and DMARC.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct OtherText {
    /// Its name.
    pub name: Name,
    /// The text, printable.
    pub record: Box<str>,
    /// What it leads to on the web, which is not fetched.
    pub not_fetched: Option<Box<str>>,
}

/// A term of the tree.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SpfTerm {
    /// Whose record has it.
    pub domain: Name,
    /// The term as it is written, printable; no more than 1000 octets of it.
    pub term: Box<str>,
    /// How many records are open around that of the term.
    pub depth: usize,
    /// Lookups of the term, with all that it leads to.
    pub lookups: usize,
    /// The running count, the term's own lookup included.
    pub at: usize,
    /// Whether it asks for what is not there.
    #[cfg_attr(feature = "serde", serde(rename = "void"))]
    pub is_void: bool,
    /// IPv4 addresses that it matches and no term of the same record before it does.
    pub ipv4_addresses: u64,
}

impl Report {
    /// All that was asked and answered.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Whether all that was asked has an answer.
    pub fn is_complete(&self) -> bool {
        self.log.entries().iter().all(|entry| matches!(entry.answer(), Some(Ok(_))))
    }
}

/// `[{"preference":n,"host":".."}]`
#[cfg(feature = "serde")]
fn mail_hosts<S: serde::Serializer>(hosts: &[Mx], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(serde::Serialize)]
    struct Host<'m> {
        preference: u16,
        host: &'m Name,
    }
    serializer.collect_seq(hosts.iter().map(|mx| Host { preference: mx.preference, host: &mx.exchange }))
}
