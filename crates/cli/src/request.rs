//! From arguments to what the library is asked.

use crate::{args, failure::Failure};
use mailverdict::{
    Policy, Session,
    change::Settings,
    dmarc::{self, BuiltInSuffixes, Editions},
    name::Domain,
    time::UnixTime,
};
use std::{net::IpAddr, sync::Arc, time::Duration};

/// The most that a single question may take, so that one dead server does not use up the time of the whole evaluation.
const QUESTION_TIME_LIMIT: Duration = Duration::from_secs(5);

/// The session that the command line describes.
pub(crate) fn session(ip: Option<IpAddr>, client: &args::Client, at: Option<UnixTime>) -> Session {
    let mut session = ip.map_or_else(Session::without_peer, Session::new);
    if let Some(helo) = &client.helo {
        session = session.with_helo(helo);
    }
    if let Some(mail_from) = &client.mail_from {
        session = session.with_mail_from(mail_from);
    }
    if let Some(receiver) = &client.receiver {
        session = session.with_receiver(receiver.as_str());
    }
    match at {
        Some(at) => session.received_at(at),
        None => session,
    }
}

/// The default policy with the time limits of the command line: a question may take a quarter of the whole, 5 seconds at most.
pub(crate) fn policy(source: &args::Source) -> Policy {
    let mut policy = Policy::default();
    policy.time_limit = source.timeout;
    policy.question_time_limit = QUESTION_TIME_LIMIT.min(source.timeout / 4);
    policy
}

/// The same with the editions of DMARC and the trusted sealers.
pub(crate) fn message_policy(source: &args::Source, rules: &args::Rules) -> Policy {
    let mut policy = policy(source);
    policy.dmarc = dmarc::Policy::by(match rules.dmarc {
        args::Edition::Rfc9989 => Editions::Rfc9989,
        args::Edition::Rfc7489 => Editions::Rfc7489(Arc::new(BuiltInSuffixes)),
        args::Edition::Both => Editions::Both(Arc::new(BuiltInSuffixes)),
    });
    policy.arc.trusted_sealers.clone_from(&rules.trusted_sealers);
    policy
}

/// The name under which header fields report, where none is given.
pub(crate) const NO_ID: &str = "localhost";

/// What may be done to say what changed, for the receiver of this name.
pub(crate) fn change_settings(authserv_id: &str) -> Settings {
    let mut settings = Settings::default();
    // The name that stands for none is no word of the receiver's.
    settings.authserv_id = (authserv_id != NO_ID).then(|| authserv_id.into());
    settings
}

/// The name under which header fields report.
pub(crate) fn authserv_id(given: Option<&str>, receiver: Option<&Domain>) -> Result<String, Failure> {
    match (given, receiver) {
        // RFC 8601 §2.5 has any text; a name is what others compare with, and what needs no quotes.
        (Some(id), _) if id.is_empty() || !id.bytes().all(|octet| octet.is_ascii_graphic()) => {
            Err(Failure::Usage(format!("--authserv-id \"{id}\": expected a name of printable ASCII without spaces")))
        }
        (Some(id), _) => Ok(id.to_owned()),
        (None, Some(receiver)) => Ok(receiver.to_string()),
        (None, None) => Ok(NO_ID.to_owned()),
    }
}
