//! The arguments of `check_host()`, RFC 7208 §4.1.

use super::{expand::Values, identity::Identity, limits::MAX_DOMAIN, result::NoneReason, sender::Sender};
use crate::{name::Domain, session::Session, text::Text};
use std::{borrow::Cow, net::IpAddr};

/// What `%{h}` and `%{r}` stand for where they are not known (RFC 7208 §7.3 for `%{r}`).
const UNKNOWN: &str = "unknown";

/// The identities of a session that are to be checked.
#[derive(Debug, Default)]
pub(crate) struct Identities<'a> {
    pub(crate) helo: Option<Arguments<'a>>,
    /// None for the null reverse-path, which is `postmaster@<helo>`: the very check of the HELO identity (RFC 7208 §2.4).
    pub(crate) mail_from: Option<Arguments<'a>>,
}

/// What is to be checked of one identity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arguments<'a> {
    pub(super) identity: Identity,
    pub(super) ip: IpAddr,
    pub(super) sender: Sender<'a>,
    /// What `sender` was read from, where it can be shared.
    pub(super) address: Option<&'a Text>,
    session: &'a Session,
}

impl<'a> Identities<'a> {
    /// Of a session with this reverse-path, which is empty for the null one.
    #[inline]
    pub(crate) fn of(session: &'a Session, reverse_path: Option<&'a Text>) -> Self {
        // RFC 7208 §5: IPv4-mapped IPv6 addresses are IPv4 clients.
        let Some(ip) = session.peer_ip.map(|ip| ip.to_canonical()) else { return Self::default() };
        let helo = session.helo.as_deref().map(Sender::postmaster);
        let mail_from = reverse_path.filter(|path| !path.is_empty());
        Self {
            helo: helo.map(|sender| Arguments { identity: Identity::Helo, ip, sender, address: None, session }),
            mail_from: mail_from.map(|address| Arguments {
                identity: Identity::MailFrom,
                ip,
                sender: Sender::of_mail_from(address),
                address: Some(address),
                session,
            }),
        }
    }
}

impl<'a> Arguments<'a> {
    /// The domain that is checked; `None` where it is none.
    pub(crate) fn domain(&self) -> Option<Domain> {
        Domain::parse(self.sender.domain).ok()
    }

    /// `<domain>`, `<sender>` and what else macros stand for.
    pub(super) fn resolve(&self) -> Result<Resolved<'a>, NoneReason> {
        let domain = self.sender.domain(self.address)?;
        let sender = self.sender.with_domain(domain.as_str(), self.address);
        Ok(Resolved { domain, sender, helo: helo_of(self.session), arguments: *self })
    }
}

/// Arguments whose domain is one.
#[derive(Debug)]
pub(super) struct Resolved<'a> {
    pub(super) domain: Domain,
    pub(super) sender: Text,
    helo: Cow<'a, str>,
    arguments: Arguments<'a>,
}

impl Resolved<'_> {
    pub(super) fn values(&self) -> Values<'_> {
        let Arguments { ip, sender, session, .. } = &self.arguments;
        Values {
            ip: *ip,
            sender: &self.sender,
            local_part: sender.local_part,
            sender_domain: self.domain.as_name(),
            helo: &self.helo,
            receiver: session.receiver.as_deref().unwrap_or(UNKNOWN),
            now: session.received_at.0,
        }
    }
}

/// What `%{h}` stands for: the argument of HELO as it was given, but for U-labels, which become A-labels (RFC 8616 §4). What is longer
/// than four times what RFC 5321 §4.5.3.1.2 allows is no name in any writing, and stands for none.
fn helo_of(session: &Session) -> Cow<'_, str> {
    let helo = session.helo.as_deref().filter(|helo| helo.len() <= MAX_DOMAIN).unwrap_or(UNKNOWN);
    if helo.is_ascii() {
        return Cow::Borrowed(helo);
    }
    Domain::parse(helo).map_or(Cow::Borrowed(helo), |domain| Cow::Owned(domain.as_str().to_owned()))
}
