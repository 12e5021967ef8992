//! Who signs, and how.

use super::{
    fields::{Fields, is_signable},
    signing_key::SigningAlgorithm,
};
use crate::{
    dkim::{Algorithm, Canonicalization, parse::is_local_part},
    name::{Domain, Name, NameError},
};

/// Octets of the local part of an identity (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL_PART: usize = 64;
/// Octets of a field's name that fits a line.
const MAX_FIELD_NAME: usize = 60;

/// Signs messages for one domain with one key. Make one and keep it.
///
/// Without other words it signs `c=relaxed/relaxed`, says when (`t=`), names the fields of RFC 6376 §5.4.1 and more
/// ([`DEFAULT_FIELDS`](super::DEFAULT_FIELDS)), the most important of them once more than they are there
/// ([`DEFAULT_OVERSIGNED`](super::DEFAULT_OVERSIGNED)), and never limits the body (`l=`).
#[derive(Clone, Debug)]
pub struct Signer {
    pub(super) domain: Domain,
    pub(super) selector: Name,
    pub(super) algorithm: SigningAlgorithm,
    pub(super) canonicalization: Canonicalization,
    pub(super) fields: Fields,
    pub(super) identity: Option<Box<str>>,
    pub(super) expires_in: Option<u64>,
    pub(super) copies_fields: bool,
    pub(super) is_forced: bool,
}

/// Why nobody can sign so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// `d=` is no domain.
    #[error("the domain \"{}\" is none: {error}", crate::lex::Printable(.given))]
    Domain {
        /// What was given.
        given: Box<str>,
        /// What is wrong with it.
        error: NameError,
    },
    /// `s=` is no selector, or makes no name with the domain.
    #[error("the selector \"{}\" is none: {error}", crate::lex::Printable(.given))]
    Selector {
        /// What was given.
        given: Box<str>,
        /// What is wrong with it.
        error: NameError,
    },
    /// `i=` is no address at or below the domain (RFC 6376 §3.5).
    #[error("the identity \"{}\" is no address at or below {domain}", crate::lex::Printable(.given))]
    Identity {
        /// What was given.
        given: Box<str>,
        /// The signing domain.
        domain: Domain,
    },
    /// A name in `h=` is none of a field, or of one that must not be signed.
    #[error("\"{}\" is no header field that can be signed", crate::lex::Printable(.0))]
    Field(Box<str>),
    /// `h=` does not name From (RFC 6376 §5.4).
    #[error("From must be among the signed fields")]
    NoFrom,
}

impl Signer {
    /// For this domain (`d=`) and selector (`s=`); U-labels become A-labels (RFC 8616 §4).
    ///
    /// ```
    /// use mailverdict::sign::{Signer, SigningAlgorithm};
    /// assert!(Signer::new("contoso.com", "selector1", SigningAlgorithm::RsaSha256).is_ok());
    /// assert!(Signer::new("contoso.com; l=0", "selector1", SigningAlgorithm::RsaSha256).is_err());
    /// ```
    ///
    /// # Errors
    /// [`SignerError::Domain`], [`SignerError::Selector`].
    pub fn new(domain: &str, selector: &str, algorithm: SigningAlgorithm) -> Result<Self, SignerError> {
        let is_plain = |text: &str| text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet));
        let bad_domain = |error| SignerError::Domain { given: domain.into(), error };
        let parsed = Domain::parse(domain).map_err(bad_domain)?;
        let bad_selector = |error| SignerError::Selector { given: selector.into(), error };
        let name = Name::parse(selector).map_err(bad_selector)?;
        parsed.as_name().prepend(&format!("{}._domainkey", name.as_str())).map_err(bad_selector)?;
        // What a name of the DNS may hold is more than what a tag may.
        if !is_plain(parsed.as_str()) || parsed.label_count() < 2 {
            return Err(bad_domain(NameError::NotLdh));
        }
        if !is_plain(name.as_str()) || name.label_count() == 0 {
            return Err(bad_selector(NameError::NotLdh));
        }
        Ok(Self {
            domain: parsed,
            selector: name,
            algorithm,
            canonicalization: Canonicalization { header: Algorithm::Relaxed, body: Algorithm::Relaxed },
            fields: Fields::default(),
            identity: None,
            expires_in: None,
            copies_fields: false,
            is_forced: false,
        })
    }

    /// With another canonicalization (`c=`, RFC 6376 §3.4).
    #[must_use]
    pub fn with_canonicalization(self, canonicalization: Canonicalization) -> Self {
        Self { canonicalization, ..self }
    }

    /// With other fields than the usual ones, each as often as it is there; From is among them.
    ///
    /// # Errors
    /// [`SignerError::Field`], [`SignerError::NoFrom`].
    pub fn with_fields<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Result<Self, SignerError> {
        self.fields.signed = field_names(names)?;
        if !self.fields.signed.iter().any(|name| name.eq_ignore_ascii_case("From")) {
            return Err(SignerError::NoFrom);
        }
        Ok(self)
    }

    /// With other fields that are named once more than they are there.
    ///
    /// # Errors
    /// [`SignerError::Field`].
    pub fn with_oversigned<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Result<Self, SignerError> {
        self.fields.oversigned = field_names(names)?;
        Ok(self)
    }

    /// On behalf of this user or agent (`i=`), an address at or below the domain, with or without a local part.
    ///
    /// # Errors
    /// [`SignerError::Identity`].
    pub fn with_identity(mut self, identity: &str) -> Result<Self, SignerError> {
        let bad = || SignerError::Identity { given: identity.into(), domain: self.domain.clone() };
        let (local_part, domain) = identity.rsplit_once('@').ok_or_else(bad)?;
        let domain = Domain::parse(domain).map_err(|_| bad())?;
        if !domain.is_at_or_below(&self.domain)
            || local_part.len() > MAX_LOCAL_PART
            || !(local_part.is_empty() || is_local_part(local_part))
        {
            return Err(bad());
        }
        let mut text = String::new();
        push_quoted_printable(&mut text, local_part.as_bytes(), |_| false);
        self.identity = Some(format!("{text}@{domain}").into());
        Ok(self)
    }

    /// Good for so many seconds (`x=`), to the year 33658 at most; for ever, where nobody says.
    #[must_use]
    pub fn with_expiry(self, seconds: u64) -> Self {
        Self { expires_in: Some(seconds.max(1)), ..self }
    }

    /// With copies of the signed fields (`z=`), by which it can be said later what was changed.
    #[must_use]
    pub fn with_copies(self) -> Self {
        Self { copies_fields: true, ..self }
    }

    /// Also what readers take in different ways, or hosts write anew. A message without one From is never signed.
    #[must_use]
    pub fn forced(self) -> Self {
        Self { is_forced: true, ..self }
    }

    /// The name of the key record.
    pub fn key_name(&self) -> Option<Name> {
        self.domain.as_name().prepend(&format!("{}._domainkey", self.selector.as_str())).ok()
    }

    /// The signing domain.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// What it signs with.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }
}

fn field_names<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Vec<Box<str>>, SignerError> {
    let read = |name: &'n str| {
        let name = name.trim();
        let is_name = (1..=MAX_FIELD_NAME).contains(&name.len())
            && name.bytes().all(|octet| matches!(octet, b'!'..=b'9' | b'<'..=b'~'));
        // A semicolon would end the tag.
        (is_name && !name.contains(';') && is_signable(name))
            .then(|| name.into())
            .ok_or_else(|| SignerError::Field(name.into()))
    };
    names.into_iter().map(read).collect()
}

/// `dkim-quoted-printable` of RFC 6376 §2.11; octets that `also` says are written as hexadecimal too.
pub(super) fn push_quoted_printable(out: &mut String, octets: &[u8], also: impl Fn(u8) -> bool) {
    for octet in octets {
        if matches!(octet, b'!'..=b':' | b'<' | b'>'..=b'~') && !also(*octet) {
            out.push(char::from(*octet));
        } else {
            out.push_str(&format!("={octet:02X}"));
        }
    }
}
