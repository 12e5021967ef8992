//! Evaluations that were made before, and what they rested on.
//!
//! `check_host()` is a pure function of `<ip>`, `<domain>` and the answers of the DNS, as long as no macro stands for anything else and
//! the message can afford the answers. So an evaluation that rests on the same things comes to the same result, with the same counts.
//! Nothing can go stale: the result is taken only where the resolver confirms that each question would be answered as it was. How long
//! an answer is good for is the resolver's business alone.

use super::{
    identity::Sender,
    limits::Spent,
    publication::RecordMemory,
    result::{Explanation, NeutralReason, SpfResult},
};
use crate::{
    dns::inquiry::{Grounds, Reading},
    name::Name,
    precedents::{Precedents, Spot},
    text::Text,
};
use std::{net::IpAddr, sync::Arc};

/// Directives of the records that a result may hold to be remembered.
const MAX_DIRECTIVES: usize = 256;

/// What is remembered from message to message, for any number of threads: what was read of the answers seen last, and at most 1024
/// evaluations. Readers do not wait for each other.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(super) records: RecordMemory,
    precedents: Precedents<Box<Precedent>>,
}

/// An evaluation, whoever the sender was within the domain.
#[derive(Debug)]
pub(super) struct Precedent {
    ip: IpAddr,
    domain: Name,
    pub(super) grounds: Arc<Grounds>,
    pub(super) result: SpfResult,
    pub(super) spent: Spent,
    /// `<sender>` where the local part is not known.
    pub(super) postmaster: Text,
}

impl Memory {
    /// What `take` takes of the last evaluation for this client and domain. It is free again when that is given out.
    #[inline]
    pub(super) fn find<U>(&self, ip: IpAddr, domain: &str, take: impl FnOnce(&Precedent) -> U) -> Option<U> {
        let spot = self.precedents.spot(domain, salt(ip))?;
        spot.find(|known| known.ip == ip && known.domain.as_str() == domain, |known| take(known))
    }

    /// Remembers what an evaluation came to, if it is met again and is not too large.
    pub(super) fn keep<R: Reading>(&self, resolver: &R, ip: IpAddr, domain: &Name, result: &SpfResult, spent: Spent) {
        let spot = self.precedents.spot(domain.as_str(), salt(ip)).filter(Spot::is_met_again);
        let Some(spot) = spot.filter(|_| is_small(result)) else { return };
        let Some(grounds) = resolver.grounds() else { return };
        let precedent = Precedent {
            ip,
            domain: domain.clone(),
            grounds: Arc::new(grounds),
            result: result.clone(),
            spent,
            postmaster: Sender::postmaster(domain.as_str()).with_domain(domain.as_str(), None),
        };
        spot.keep(Box::new(precedent), |known| known.ip == ip && known.domain == *domain);
    }
}

fn salt(ip: IpAddr) -> u64 {
    match ip {
        IpAddr::V4(ip) => ip.to_bits().into(),
        IpAddr::V6(ip) => {
            let (upper, lower) = (ip.to_bits() >> 64, ip.to_bits() & u128::from(u64::MAX));
            // Each half fits.
            u64::try_from(upper).unwrap_or_default().rotate_left(32) ^ u64::try_from(lower).unwrap_or_default()
        }
    }
}

/// Errors hold texts of strangers without a small bound, and nobody who sends mail in earnest has them for long.
fn is_small(result: &SpfResult) -> bool {
    match result {
        SpfResult::Fail(_, Explanation::Published(_)) | SpfResult::TempError(_) | SpfResult::PermError(_) => false,
        SpfResult::None(_) | SpfResult::Neutral(NeutralReason::NoMatch { .. }) => true,
        SpfResult::Pass(matched)
        | SpfResult::Fail(matched, Explanation::Default)
        | SpfResult::SoftFail(matched)
        | SpfResult::Neutral(NeutralReason::Matched(matched)) => {
            matched.path().map(|at| at.record().directives.len()).sum::<usize>() <= MAX_DIRECTIVES
        }
    }
}
