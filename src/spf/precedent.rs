//! Evaluations that were made before, and what they rested on.
//!
//! `check_host()` is a pure function of `<ip>`, `<domain>` and the answers of the DNS, as long as no macro stands for anything else and
//! the message can afford the answers. So an evaluation that rests on the same things comes to the same result, with the same counts.
//! Nothing can go stale: the result is taken only where the resolver confirms that each question would be answered as it was. How long
//! an answer is good for is the resolver's business alone.

use super::{
    publication::RecordMemory,
    result::{Explanation, NeutralReason, SpfReport, SpfResult},
};
use crate::{
    dns::inquiry::{Grounds, Reading},
    precedents::{Precedents, Spot},
};
use std::{net::IpAddr, sync::Arc};

/// Directives of the records that a result may hold to be remembered.
const MAX_DIRECTIVES: usize = 256;
/// Octets of a sender that is remembered (RFC 5321 §4.5.3.1: 64 of local part, 255 of domain).
const MAX_SENDER: usize = 320;

/// What is remembered from message to message, for any number of threads: what was read of the answers seen last, and at most 1024
/// evaluations. Readers do not wait for each other.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(super) records: RecordMemory,
    precedents: Precedents<Precedent>,
}

/// An evaluation, which comes to the same for every sender within the domain.
#[derive(Debug)]
pub(super) struct Precedent {
    pub(super) grounds: Arc<Grounds>,
    pub(super) report: Arc<SpfReport>,
}

impl Memory {
    /// What `take` takes of the last evaluation for this client and domain. It is free again when that is given out.
    #[inline]
    pub(super) fn find<U>(&self, ip: IpAddr, domain: &str, take: impl FnOnce(&Precedent) -> U) -> Option<U> {
        let spot = self.precedents.spot(domain, salt(ip))?;
        spot.find(|known| known.is_of(ip, domain), take)
    }

    /// Remembers what an evaluation came to, if it is met again and is not too large.
    pub(super) fn keep<R: Reading>(&self, resolver: &R, report: &Arc<SpfReport>) {
        let (ip, domain) = (report.ip, report.domain());
        let spot = self.precedents.spot(domain, salt(ip)).filter(Spot::is_met_again);
        let Some(spot) = spot.filter(|_| is_small(report)) else { return };
        let Some(grounds) = resolver.grounds() else { return };
        let precedent = Precedent { grounds: Arc::new(grounds), report: Arc::clone(report) };
        spot.keep(precedent, |known| known.is_of(ip, domain));
    }
}

impl Precedent {
    #[inline]
    fn is_of(&self, ip: IpAddr, domain: &str) -> bool {
        self.report.ip == ip && self.report.domain() == domain
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

/// Errors and senders hold texts of strangers without a small bound, and nobody who sends mail in earnest has such for long.
fn is_small(report: &SpfReport) -> bool {
    if report.sender.len() > MAX_SENDER {
        return false;
    }
    match &report.result {
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
