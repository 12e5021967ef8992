//! What is planned: who is to send what, from where.

use super::planned_key::is_planned;
use crate::{
    dkim::Signature,
    message::{Header, Message, MessageError},
    name::{Domain, Name, NameError},
    session::MailFrom,
    text::Text,
    time::UnixTime,
};
use std::net::IpAddr;

/// Signatures of one plan.
pub const MAX_SIGNATURES: usize = 10;

/// Mail that is to be sent: its author, the host that will send it, and what else is known of it.
///
/// ```
/// use mailverdict::preflight::Plan;
/// use std::net::Ipv4Addr;
/// let plan = Plan::new("alice@contoso.com", Ipv4Addr::new(192, 0, 2, 1))?
///     .with_mail_from("bounce@esp.example")
///     .with_signature("contoso.com", "s1")?;
/// assert_eq!(plan.author().as_str(), "contoso.com");
/// # Ok::<(), mailverdict::preflight::PlanError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    from: Text,
    author: Domain,
    mail_from: MailFrom,
    ip: IpAddr,
    helo: Option<Text>,
    signatures: Vec<PlannedKey>,
    message: Option<Box<[u8]>>,
    at: UnixTime,
}

/// The key that is to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedKey {
    domain: Domain,
    selector: Box<str>,
    name: Name,
}

/// Why nothing can be planned so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// From is not an address of one domain.
    #[error("\"{}\" is no address with a domain, such as alice@example.com", crate::lex::Printable(.0))]
    From(Box<str>),
    /// The selector, or the domain that is to sign, makes no name.
    #[error("\"{}\" is no key's name: {error}", crate::lex::Printable(.given))]
    Key {
        /// What was given, as `domain/selector`.
        given: Box<str>,
        /// What is wrong with it.
        error: NameError,
    },
    /// There are more signatures than [`MAX_SIGNATURES`].
    #[error("more than {MAX_SIGNATURES} signatures")]
    TooManySignatures,
    /// What was given is no message.
    #[error("{0}")]
    Message(MessageError),
    /// The message holds what stands for a planned signature, which is none.
    #[error("the message has a DKIM-Signature field that was planned, and not made")]
    PlannedSignature,
    /// The message is by another author.
    #[error("the From field of the message names {found}, and mail from {planned} is planned")]
    OtherAuthor {
        /// The author domain of the message.
        found: Domain,
        /// That of the plan.
        planned: Domain,
    },
}

impl Plan {
    /// Mail from this author, by a host with this address; MAIL FROM is the same as the author, and nothing is signed.
    ///
    /// # Errors
    /// [`PlanError::From`] where it is no address of one domain.
    pub fn new(from: &str, ip: impl Into<IpAddr>) -> Result<Self, PlanError> {
        let bad = || PlanError::From(from.chars().take(200).collect());
        let from = from.trim();
        if from.chars().any(char::is_control) {
            return Err(bad());
        }
        let field = format!("From: {from}\r\n\r\n");
        let authors = Header::parse(field.as_bytes()).map_err(|_| bad())?.authors();
        let [author] = authors.domains() else { return Err(bad()) };
        if authors.error().is_some() || authors.is_ambiguous() || authors.is_incomplete() {
            return Err(bad());
        }
        let address = from.rsplit_once('<').and_then(|(_, rest)| rest.strip_suffix('>')).unwrap_or(from);
        Ok(Self {
            from: from.into(),
            author: author.clone(),
            mail_from: MailFrom::Address(address.into()),
            ip: ip.into().to_canonical(),
            helo: None,
            signatures: Vec::new(),
            message: None,
            at: UnixTime(0),
        })
    }

    /// With another reverse-path; `""` and `"<>"` are the null reverse-path.
    #[must_use]
    pub fn with_mail_from(self, mail_from: &str) -> Self {
        Self { mail_from: MailFrom::parse(mail_from), ..self }
    }

    /// With the name that the host gives in HELO or EHLO.
    #[must_use]
    pub fn with_helo(self, helo: &str) -> Self {
        Self { helo: Some(helo.into()), ..self }
    }

    /// Signed by the key of this domain and selector. The key itself is not needed: what its record allows is read from the DNS.
    ///
    /// # Errors
    /// [`PlanError::Key`], [`PlanError::TooManySignatures`].
    pub fn with_signature(mut self, domain: &str, selector: &str) -> Result<Self, PlanError> {
        let bad = |error| PlanError::Key { given: format!("{domain}/{selector}").into(), error };
        let parsed = Domain::parse(domain).map_err(bad)?;
        let name = parsed.as_name().prepend(&format!("{selector}._domainkey")).map_err(bad)?;
        if self.signatures.iter().any(|known| known.name == name) {
            return Ok(self);
        }
        if self.signatures.len() >= MAX_SIGNATURES {
            return Err(PlanError::TooManySignatures);
        }
        self.signatures.push(PlannedKey { domain: parsed, selector: selector.into(), name });
        Ok(self)
    }

    /// With this message, as it is to be sent, in place of one that is made up. Its signatures count beside those that are planned.
    ///
    /// # Errors
    /// [`PlanError::Message`], and [`PlanError::OtherAuthor`] where its From names another domain. One with several authors, or none, is
    /// taken: that is what there is to say of it.
    pub fn with_message(self, octets: &[u8]) -> Result<Self, PlanError> {
        let message = Message::parse(octets).map_err(PlanError::Message)?;
        if let [found] = message.header().authors().domains()
            && *found != self.author
        {
            return Err(PlanError::OtherAuthor { found: found.clone(), planned: self.author });
        }
        let signatures =
            message.header().named("DKIM-Signature").filter_map(|field| Signature::parse(field.value()).ok());
        if signatures.map(|signature| signature.signature_data).any(|data| is_planned(&data)) {
            return Err(PlanError::PlannedSignature);
        }
        Ok(Self { message: Some(octets.into()), ..self })
    }

    /// To be sent at this time, by which expirations are judged; 1970 where nobody says.
    #[must_use]
    pub fn at(self, at: UnixTime) -> Self {
        Self { at, ..self }
    }

    /// The author as it was given.
    pub fn from(&self) -> &str {
        &self.from
    }

    /// The author domain.
    pub fn author(&self) -> &Domain {
        &self.author
    }

    /// The reverse-path.
    pub fn mail_from(&self) -> &MailFrom {
        &self.mail_from
    }

    /// The domain of the reverse-path, where it has one.
    pub(super) fn return_domain(&self) -> Option<Domain> {
        let MailFrom::Address(address) = &self.mail_from else { return None };
        let (_, domain) = address.rsplit_once('@')?;
        Domain::parse(domain).ok()
    }

    /// The address of the host.
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// Its name in HELO or EHLO.
    pub fn helo(&self) -> Option<&str> {
        self.helo.as_deref()
    }

    /// The keys that are to sign.
    pub fn signatures(&self) -> &[PlannedKey] {
        &self.signatures
    }

    /// The message, where there is one.
    pub fn message(&self) -> Option<&[u8]> {
        self.message.as_deref()
    }

    /// When it is to be sent.
    pub fn time(&self) -> UnixTime {
        self.at
    }
}

impl PlannedKey {
    /// The signing domain, `d=`.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The selector, `s=`.
    pub fn selector(&self) -> &str {
        &self.selector
    }

    /// The name of the key record.
    pub fn name(&self) -> &Name {
        &self.name
    }
}
