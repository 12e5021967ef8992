//! What DMARC takes from SPF and DKIM.

use super::alignment::{Authentication, Mechanism};
use crate::{
    dkim::{DkimResult, SignatureReport},
    dns::LookupError,
    name::Domain,
    spf::{SpfReports, SpfResult, TempError},
};
use smallvec::SmallVec;

/// A domain whose use SPF or DKIM validated (RFC 9989 §3.2.1). Only a passing check makes one: holding it is the proof.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AuthenticatedIdentifier {
    domain: Domain,
    mechanism: Mechanism,
}

impl AuthenticatedIdentifier {
    /// The domain.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Who validated it.
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// As it stood in a verdict that was written down. It proves what the verdict proves, and so it cannot be read alone.
    #[cfg(feature = "serde")]
    pub(super) fn of_verdict<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::Deserialize as _;
        #[derive(serde::Deserialize)]
        struct Read {
            domain: Domain,
            mechanism: Mechanism,
        }
        Read::deserialize(deserializer).map(|Read { domain, mechanism }| Self { domain, mechanism })
    }
}

/// Whether a question was not asked because the message had cost too much already; asking again would end the same way.
pub(super) fn is_exhaustion(error: &LookupError) -> bool {
    matches!(error, LookupError::OutOfQuestions | LookupError::OutOfOctets)
}

/// A domain of which SPF or DKIM could not tell, for a reason that may pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UndeterminedIdentifier {
    pub(super) domain: Domain,
    pub(super) mechanism: Mechanism,
}

/// A domain that SPF or DKIM says something of that DMARC considers.
#[derive(Clone, Copy, Debug)]
struct Statement<'a> {
    mechanism: Mechanism,
    authentication: Authentication,
    domain: &'a Domain,
}

/// What is offered: SPF's MAIL FROM alone (RFC 9989 §4.4.2; with the null reverse-path that is `postmaster@<helo>` already), and the
/// signing domain of each signature (§4.4.1). What failed for good leaves no trace here; neither does what a message made too
/// expensive to ask, or a forger could have a message deferred instead of refused by signing in the victim's name.
fn statements<'a>(spf: &'a SpfReports, dkim: &'a [SignatureReport]) -> impl Iterator<Item = Statement<'a>> {
    let by_spf = spf.mail_from.iter().filter_map(|report| {
        let authentication = match &report.result {
            SpfResult::Pass(_) => Authentication::Passed,
            SpfResult::TempError(TempError::Lookup { error, .. }) if !is_exhaustion(error) => Authentication::TempError,
            SpfResult::TempError(_)
            | SpfResult::None(_)
            | SpfResult::Neutral(_)
            | SpfResult::Fail(..)
            | SpfResult::SoftFail(_)
            | SpfResult::PermError(_) => return None,
        };
        let domain = report.domain.as_ref().ok()?;
        Some(Statement { mechanism: Mechanism::Spf, authentication, domain })
    });
    let by_dkim = dkim.iter().filter_map(|report| {
        let domain = report.signature.domain.as_ref()?;
        let authentication = match &report.result {
            DkimResult::Pass => Authentication::Passed,
            DkimResult::TempError(error) if !is_exhaustion(error) => Authentication::TempError,
            DkimResult::TempError(_)
            | DkimResult::Fail(_)
            | DkimResult::Policy(_)
            | DkimResult::Neutral(_)
            | DkimResult::PermError(_) => return None,
        };
        Some(Statement { mechanism: Mechanism::Dkim, authentication, domain })
    });
    by_spf.chain(by_dkim)
}

/// All that DMARC may know of SPF and DKIM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identifiers {
    pub(super) authenticated: SmallVec<[AuthenticatedIdentifier; 2]>,
    pub(super) undetermined: SmallVec<[UndeterminedIdentifier; 1]>,
}

impl Identifiers {
    /// Gathers what SPF and DKIM say, each domain once.
    pub(crate) fn gather(spf: &SpfReports, dkim: &[SignatureReport]) -> Self {
        Self::of(statements(spf, dkim))
    }

    /// All of them.
    pub(crate) fn domains(&self) -> impl Iterator<Item = Domain> {
        let authenticated = self.authenticated.iter().map(|known| &known.domain);
        authenticated.chain(self.undetermined.iter().map(|open| &open.domain)).cloned()
    }

    fn of<'a>(statements: impl Iterator<Item = Statement<'a>>) -> Self {
        let mut identifiers = Self::default();
        for statement in statements {
            let domain = statement.domain.clone();
            match statement.authentication {
                Authentication::Passed => identifiers.authenticate(domain, statement.mechanism),
                Authentication::TempError => identifiers.leave_open(domain, statement.mechanism),
            }
        }
        let Self { authenticated, undetermined } = &mut identifiers;
        undetermined.retain(|open| {
            !authenticated.iter().any(|known| known.domain == open.domain && known.mechanism == open.mechanism)
        });
        identifiers
    }

    fn authenticate(&mut self, domain: Domain, mechanism: Mechanism) {
        let identifier = AuthenticatedIdentifier { domain, mechanism };
        if !self.authenticated.contains(&identifier) {
            self.authenticated.push(identifier);
        }
    }

    fn leave_open(&mut self, domain: Domain, mechanism: Mechanism) {
        let identifier = UndeterminedIdentifier { domain, mechanism };
        if !self.undetermined.contains(&identifier) {
            self.undetermined.push(identifier);
        }
    }
}

/// For tests of the decision alone, where no SPF or DKIM has been.
#[cfg(test)]
impl Identifiers {
    pub(super) fn for_test<'a>(found: impl IntoIterator<Item = (Mechanism, Authentication, &'a Domain)>) -> Self {
        Self::of(found.into_iter().map(|(mechanism, authentication, domain)| Statement {
            mechanism,
            authentication,
            domain,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dkim::{DkimResult, FailReason, SignatureSummary};

    fn signature(domain: &str, result: DkimResult) -> SignatureReport {
        let domain = Domain::parse(domain).ok();
        SignatureReport {
            field_index: 0,
            signature: SignatureSummary { domain, ..SignatureSummary::default() },
            result,
            key: None,
            body_hash: None,
            header_hash: None,
            unsigned_octets: 0,
            not_covered: crate::message::SingularFields::default(),
        }
    }

    #[test]
    fn passes_are_taken_failures_are_not_and_lookups_that_failed_stay_open() {
        let reports = [
            signature("a.example", DkimResult::Pass),
            signature("a.example", DkimResult::Pass),
            signature("a.example", DkimResult::TempError(LookupError::Timeout)),
            signature("b.example", DkimResult::Fail(FailReason::InvalidSignature)),
            signature("c.example", DkimResult::TempError(LookupError::Timeout)),
            signature("d.example", DkimResult::TempError(LookupError::OutOfOctets)),
            signature("e.example", DkimResult::TempError(LookupError::OutOfQuestions)),
            signature("", DkimResult::Pass),
        ];
        let spf = SpfReports { helo: None, mail_from: None };
        let identifiers = Identifiers::gather(&spf, &reports);
        let domain = |text| Domain::parse(text).unwrap();
        let mechanism = Mechanism::Dkim;
        let authenticated = [AuthenticatedIdentifier { domain: domain("a.example"), mechanism }].into_iter().collect();
        let undetermined = [UndeterminedIdentifier { domain: domain("c.example"), mechanism }].into_iter().collect();
        assert_eq!(identifiers, Identifiers { authenticated, undetermined });
    }
}
