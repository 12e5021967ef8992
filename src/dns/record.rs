//! Records of the five types behind one trait, for those who keep or count answers of any type.

use super::{Answer, Mx, RecordType};
use crate::name::Name;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The data of a record of one type.
pub(crate) trait Record: Clone + Send + Sync + 'static {
    const TYPE: RecordType;
    /// About as many octets as the data takes on the wire.
    fn octets(&self) -> usize;
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

macro_rules! record {
    ($data:ty, $variant:ident, $octets:expr) => {
        impl Record for $data {
            const TYPE: RecordType = RecordType::$variant;
            fn octets(&self) -> usize {
                let octets: fn(&$data) -> usize = $octets;
                octets(self)
            }
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
