//! How a message is signed, as far as its signatures say so themselves.

use crate::{
    dkim::{Algorithm, Signature},
    finding::Quote,
    lex::Span,
    message::{Header, HeaderField},
    name::{Domain, Name},
    time::UnixTime,
};

/// Signatures of one message that are looked at.
const MAX_SIGNATURES: usize = 16;

/// A message that was given.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    /// Its author domain, where that is one.
    pub(super) author: Option<Domain>,
    pub(super) signatures: Vec<Made>,
}

/// A signature.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) domain: Domain,
    pub(super) key: Name,
    pub(super) is_simple: bool,
    pub(super) at: Option<UnixTime>,
    pub(super) expires: Option<UnixTime>,
    /// `c=` and `x=`, where they stand.
    pub(super) canonicalization: Option<Quote>,
    pub(super) expiration: Option<Quote>,
}

impl Signed {
    pub(super) fn of(header: &Header<'_>) -> Self {
        let authors = header.authors();
        let author = match authors.domains() {
            [domain] => Some(domain.clone()),
            _ => None,
        };
        let fields = header.named("DKIM-Signature").take(MAX_SIGNATURES);
        Self { author, signatures: fields.filter_map(|field| Made::of(&field)).collect() }
    }
}

impl Made {
    fn of(field: &HeaderField<'_>) -> Option<Self> {
        let signature = Signature::parse(field.value()).ok()?;
        let quote = |tag: &str| {
            let tag = signature.span_of(tag)?.whole();
            let before = field.raw().len() - field.value().len();
            Quote::of(field.raw(), Span::new(before + tag.offset(), tag.length())?)
        };
        let (canonicalization, expiration) = (quote("c"), quote("x"));
        let simple = Algorithm::Simple;
        Some(Self {
            is_simple: signature.canonicalization.header == simple || signature.canonicalization.body == simple,
            at: signature.timestamp,
            expires: signature.expiration,
            domain: signature.domain,
            key: signature.key_name,
            canonicalization,
            expiration,
        })
    }
}
