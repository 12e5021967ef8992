//! Records of the five types behind one trait, for those who keep or count answers of any type.

use super::{Answer, Details, LookupError, Mx, RecordType};
use crate::{lex::character_string, name::Name};
use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    sync::{Arc, atomic::AtomicUsize},
};

/// The data of a record of one type.
pub(crate) trait Record: Clone + PartialEq + Send + Sync + 'static {
    const TYPE: RecordType;
    /// About as many octets as the data takes on the wire.
    fn octets(&self) -> usize;
    #[cfg(feature = "hickory")]
    fn into_any(answer: Answer<Self>) -> AnyAnswer;
    fn from_any(answer: &AnyAnswer) -> Option<&Answer<Self>>;
}

/// An answer of any of the types that are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnyAnswer {
    /// Texts.
    Txt(Answer<Box<[u8]>>),
    /// IPv4 addresses.
    A(Answer<Ipv4Addr>),
    /// IPv6 addresses.
    Aaaa(Answer<Ipv6Addr>),
    /// Mail exchanges.
    Mx(Answer<Mx>),
    /// Names of an address.
    Ptr(Answer<Name>),
}

/// What became of a question of any of the types.
pub type AnyLookup = Result<AnyAnswer, LookupError>;

macro_rules! record {
    ($data:ty, $variant:ident, $octets:expr) => {
        impl Record for $data {
            const TYPE: RecordType = RecordType::$variant;
            fn octets(&self) -> usize {
                let octets: fn(&$data) -> usize = $octets;
                octets(self)
            }
            #[cfg(feature = "hickory")]
            fn into_any(answer: Answer<Self>) -> AnyAnswer {
                AnyAnswer::$variant(answer)
            }
            fn from_any(answer: &AnyAnswer) -> Option<&Answer<Self>> {
                if let AnyAnswer::$variant(answer) = answer { Some(answer) } else { None }
            }
        }
    };
}

record!(Box<[u8]>, Txt, |text| text.len());
record!(Ipv4Addr, A, |_| 4);
record!(Ipv6Addr, Aaaa, |_| 16);
record!(Mx, Mx, |mx| 2 + mx.exchange.as_str().len());
record!(Name, Ptr, |name| name.as_str().len());

/// About as many octets as the data of an answer takes on the wire.
pub(crate) fn octets<T: Record>(answer: &Answer<T>) -> usize {
    answer.records().iter().map(Record::octets).sum()
}

impl<T> Answer<T> {
    /// See [`Records::charged_to`](super::Records::charged_to).
    #[cfg_attr(not(feature = "hickory"), allow(dead_code, reason = "the one resolver that bounds its memory"))]
    pub(crate) fn charged_to(self, account: &Arc<AtomicUsize>) -> Self {
        match self {
            Self::Records(records) => Self::Records(records.charged_to(account)),
            Self::NoData(_) | Self::NxDomain(_) => self,
        }
    }

    fn read_octets(&self) -> usize {
        match self {
            Self::Records(records) => records.read_octets(),
            Self::NoData(_) | Self::NxDomain(_) => 0,
        }
    }
}

impl AnyAnswer {
    /// See [`Records::charged_to`](super::Records::charged_to).
    #[cfg(feature = "hickory")]
    pub(crate) fn charged_to(self, account: &Arc<AtomicUsize>) -> Self {
        match self {
            Self::Txt(answer) => Self::Txt(answer.charged_to(account)),
            Self::A(answer) => Self::A(answer.charged_to(account)),
            Self::Aaaa(answer) => Self::Aaaa(answer.charged_to(account)),
            Self::Mx(answer) => Self::Mx(answer.charged_to(account)),
            Self::Ptr(answer) => Self::Ptr(answer.charged_to(account)),
        }
    }

    /// The same with other details.
    #[must_use]
    pub fn with_details(self, details: Details) -> Self {
        match self {
            Self::Txt(answer) => Self::Txt(answer.with_details(details)),
            Self::A(answer) => Self::A(answer.with_details(details)),
            Self::Aaaa(answer) => Self::Aaaa(answer.with_details(details)),
            Self::Mx(answer) => Self::Mx(answer.with_details(details)),
            Self::Ptr(answer) => Self::Ptr(answer.with_details(details)),
        }
    }

    /// What the resolver tells of it.
    pub fn details(&self) -> &Details {
        match self {
            Self::Txt(answer) => answer.details(),
            Self::A(answer) => answer.details(),
            Self::Aaaa(answer) => answer.details(),
            Self::Mx(answer) => answer.details(),
            Self::Ptr(answer) => answer.details(),
        }
    }

    /// About how many octets of memory is taken by what was read of the answer so far.
    #[cfg_attr(not(feature = "hickory"), allow(dead_code, reason = "the one resolver that bounds its memory"))]
    pub(crate) fn read_octets(&self) -> usize {
        match self {
            Self::Txt(answer) => answer.read_octets(),
            Self::A(answer) => answer.read_octets(),
            Self::Aaaa(answer) => answer.read_octets(),
            Self::Mx(answer) => answer.read_octets(),
            Self::Ptr(answer) => answer.read_octets(),
        }
    }

    /// Whether there are no records.
    pub(crate) fn is_void(&self) -> bool {
        match self {
            Self::Txt(answer) => answer.is_void(),
            Self::A(answer) => answer.is_void(),
            Self::Aaaa(answer) => answer.is_void(),
            Self::Mx(answer) => answer.is_void(),
            Self::Ptr(answer) => answer.is_void(),
        }
    }

    /// About as many octets as the data takes on the wire.
    pub(crate) fn octets(&self) -> usize {
        match self {
            Self::Txt(answer) => octets(answer),
            Self::A(answer) => octets(answer),
            Self::Aaaa(answer) => octets(answer),
            Self::Mx(answer) => octets(answer),
            Self::Ptr(answer) => octets(answer),
        }
    }
}

/// The records, each in its usual form, separated by commas; texts in quotes, shortened, in printable ASCII.
impl fmt::Display for AnyAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Txt(answer) => list(f, answer, |f, text| {
                const SHOWN: usize = 500;
                let shown = text.get(..SHOWN).unwrap_or(text);
                f.write_str(&character_string(shown))?;
                if shown.len() < text.len() { write!(f, "… ({} octets)", text.len()) } else { Ok(()) }
            }),
            Self::A(answer) => list(f, answer, |f, ip| ip.fmt(f)),
            Self::Aaaa(answer) => list(f, answer, |f, ip| ip.fmt(f)),
            Self::Mx(answer) => {
                list(f, answer, |f, mx| write!(f, "{} {}", mx.preference, mx.exchange.to_string().escape_debug()))
            }
            Self::Ptr(answer) => list(f, answer, |f, name| name.to_string().escape_debug().fmt(f)),
        }
    }
}

fn list<T>(
    f: &mut fmt::Formatter<'_>,
    answer: &Answer<T>,
    show: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    match answer {
        Answer::NoData(_) => f.write_str("no such record"),
        Answer::NxDomain(_) => f.write_str("no such name"),
        Answer::Records(records) => records.iter().enumerate().try_for_each(|(place, record)| {
            if place > 0 {
                f.write_str(", ")?;
            }
            show(f, record)
        }),
    }
}
