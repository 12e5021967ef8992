//! What is looked at.

use super::signed::Signed;
use crate::{
    dkim::Signature,
    finding::{Finding, of_signatures},
    message::{Header, return_path},
    name::{Domain, Name, NameError},
    time::UnixTime,
};
use std::net::IpAddr;

/// Keys, senders and reverse-paths of one domain that are looked at, each.
pub const MAX_GIVEN: usize = 100;

/// A domain, and what else is known of its mail: without that, neither keys nor sending hosts can be found.
///
/// ```
/// use mailverdict::{lint::Scope, name::Domain};
/// let scope = Scope::of(Domain::parse("contoso.com")?).with_selector("selector1")?;
/// assert_eq!(scope.keys()[0].name().as_str(), "selector1._domainkey.contoso.com");
/// # Ok::<(), mailverdict::name::NameError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scope {
    domain: Domain,
    keys: Vec<KeyName>,
    senders: Vec<IpAddr>,
    at: UnixTime,
    reverse_paths: Vec<Domain>,
    has_message: bool,
    /// What is wrong with the signatures of the messages that were given.
    of_messages: Vec<Finding>,
    signed: Vec<Signed>,
}

/// Where a key is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyName {
    selector: Box<str>,
    domain: Name,
    name: Name,
    is_used: bool,
    /// `i=` of a signature, where its domain lies below that of `d=`.
    subdomain_identity: Option<Box<str>>,
}

impl Scope {
    /// What a domain publishes.
    pub fn of(domain: Domain) -> Self {
        Self {
            domain,
            keys: Vec::new(),
            senders: Vec::new(),
            at: UnixTime(0),
            reverse_paths: Vec::new(),
            has_message: false,
            of_messages: Vec::new(),
            signed: Vec::new(),
        }
    }

    /// And the key of this selector.
    ///
    /// # Errors
    /// [`NameError`] where the selector makes no name.
    pub fn with_selector(mut self, selector: &str) -> Result<Self, NameError> {
        let name = self.domain.as_name().prepend(&format!("{selector}._domainkey"))?;
        let domain = self.domain.as_name().clone();
        self.add_key(KeyName { selector: selector.into(), domain, name, is_used: false, subdomain_identity: None });
        Ok(self)
    }

    /// And the key of this name, by which another domain signs, or this one.
    pub(crate) fn with_key(mut self, domain: &Domain, selector: &str, name: &Name) -> Self {
        let (domain, name) = (domain.as_name().clone(), name.clone());
        self.add_key(KeyName { selector: selector.into(), domain, name, is_used: true, subdomain_identity: None });
        self
    }

    /// And the keys of the signatures that a row of an aggregate report tells of, as far as they are of the domain or of one below it.
    ///
    /// ```
    /// use mailverdict::{lint::Scope, name::Domain, report::{ReadLimits, Reader}};
    /// let xml = b"<feedback><record><auth_results><dkim><domain>mail.contoso.com</domain><selector>s1</selector>\
    ///     <result>fail</result></dkim></auth_results></record></feedback>";
    /// let mut reader = Reader::new(&xml[..], ReadLimits::default());
    /// let mut scope = Scope::of(Domain::parse("contoso.com").unwrap());
    /// while let Some(row) = reader.next_row()? {
    ///     scope.add_row(&row);
    /// }
    /// # Ok::<(), mailverdict::report::ReadError>(())
    /// ```
    #[cfg(feature = "reports")]
    pub fn add_row(&mut self, row: &crate::report::Row) {
        for dkim in &row.dkim_results {
            let (Some(domain), Some(selector)) = (&dkim.domain, &dkim.selector) else { continue };
            let Ok(domain) = Domain::parse(domain) else { continue };
            if !domain.is_at_or_below(&self.domain) {
                continue;
            }
            let Ok(name) = domain.as_name().prepend(&format!("{selector}._domainkey")) else { continue };
            let (selector, domain) = (selector.clone(), domain.as_name().clone());
            self.add_key(KeyName { selector, domain, name, is_used: true, subdomain_identity: None });
        }
    }

    /// And what this host meets that sends for the domain.
    #[must_use]
    pub fn with_sender(mut self, ip: IpAddr) -> Self {
        let ip = ip.to_canonical();
        if self.senders.len() < MAX_GIVEN && !self.senders.contains(&ip) {
            self.senders.push(ip);
        }
        self
    }

    /// And the keys of the signatures of this message, and the domain of its Return-Path.
    #[must_use]
    pub fn with_message(mut self, header: &Header<'_>) -> Self {
        self.has_message = true;
        let room = MAX_GIVEN.saturating_sub(self.of_messages.len());
        self.of_messages.extend(of_signatures(header).into_iter().take(room));
        self.signed.push(Signed::of(header));
        self.signed.truncate(MAX_GIVEN);
        for field in header.named("DKIM-Signature").take(MAX_GIVEN) {
            let Ok(signature) = Signature::parse(field.value()) else { continue };
            let Signature { domain, selector, key_name, identity, identity_domain, .. } = signature;
            let subdomain_identity = (identity_domain != domain).then(|| Box::from(&*identity));
            let (selector, domain) = (selector.as_str().into(), domain.as_name().clone());
            self.add_key(KeyName { selector, domain, name: key_name, is_used: true, subdomain_identity });
        }
        let path = return_path(header).unwrap_or_default();
        let domain = path.rsplit_once('@').and_then(|(_, domain)| Domain::parse(domain).ok());
        if let Some(domain) = domain.filter(|domain| *domain != self.domain)
            && self.reverse_paths.len() < MAX_GIVEN
            && !self.reverse_paths.contains(&domain)
        {
            self.reverse_paths.push(domain);
        }
        self
    }

    /// At this time, which explanations of SPF may name (macro `%{t}`), and by which a key is old whose selector holds a date; 1970
    /// where nobody says.
    #[must_use]
    pub fn at(self, at: UnixTime) -> Self {
        Self { at, ..self }
    }

    fn add_key(&mut self, key: KeyName) {
        if let Some(known) = self.keys.iter_mut().find(|known| known.name == key.name) {
            known.is_used |= key.is_used;
            if known.subdomain_identity.is_none() {
                known.subdomain_identity = key.subdomain_identity;
            }
        } else if self.keys.len() < MAX_GIVEN {
            self.keys.push(key);
        }
    }

    /// The domain.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Where keys are looked for.
    pub fn keys(&self) -> &[KeyName] {
        &self.keys
    }

    /// Hosts that send.
    pub fn senders(&self) -> &[IpAddr] {
        &self.senders
    }

    /// Whether a message was given, which shows how mail of the domain is signed.
    pub(super) fn has_message(&self) -> bool {
        self.has_message
    }

    /// What is wrong with the signatures of messages, whatever they come to.
    pub(super) fn of_messages(&self) -> &[Finding] {
        &self.of_messages
    }

    /// How the messages are signed.
    pub(super) fn signed(&self) -> &[Signed] {
        &self.signed
    }

    /// The time of the look.
    pub fn time(&self) -> UnixTime {
        self.at
    }

    /// Domains of MAIL FROM, other than the domain itself.
    pub fn reverse_paths(&self) -> &[Domain] {
        &self.reverse_paths
    }
}

impl KeyName {
    /// The selector.
    pub fn selector(&self) -> &str {
        &self.selector
    }

    /// The signing domain.
    pub fn domain(&self) -> &Name {
        &self.domain
    }

    /// The name of the key record.
    pub fn name(&self) -> &Name {
        &self.name
    }

    pub(super) fn subdomain_identity(&self) -> Option<&str> {
        self.subdomain_identity.as_deref()
    }

    /// Whether a message is signed with it.
    pub fn is_used(&self) -> bool {
        self.is_used
    }
}
