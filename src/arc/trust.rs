//! What a trusted sealer reported.

use super::{policy::Policy, set_report::SetReport};
use crate::{
    authentication_results::{AuthenticationResults, MethodResult},
    name::{Domain, NameError},
};

/// What the oldest trusted sealer of a chain that passes reported about the message as it received it.
///
/// A seal proves what earlier sets said, not what the message was: any later sealer may have replaced the message and kept the
/// seals (RFC 8617 §9.4). So a sealer is trusted here only if every later one, up to the newest, is trusted as well; the oldest
/// instance of that unbroken run is the one whose word counts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Trusted {
    /// The instance of its set.
    pub instance: u8,
    /// Who sealed it.
    pub sealer: Domain,
    /// SPF's result as it was reported: that of the first `spf=`.
    pub spf: Option<Box<str>>,
    /// DKIM's result as it was reported: `pass` where any signature passed, else that of the first `dkim=`.
    pub dkim: Option<Box<str>>,
    /// DMARC's result as it was reported: `pass` only where every `dmarc=` says so, else that of the first which does not.
    pub dmarc: Option<Box<str>>,
    /// The From domain that the report on DMARC names, where it names one.
    pub dmarc_domain: Option<Domain>,
    /// The whole report; `None` where it cannot be read.
    pub results: Option<AuthenticationResults>,
}

impl Trusted {
    /// Looks for the oldest trusted instance among the sets of a chain that passes, from instance 1 up.
    pub(super) fn oldest(policy: &Policy, sets: &[SetReport]) -> Option<Self> {
        let run = sets.iter().rev().take_while(|set| policy.trusted_sealers.contains(&set.sealer));
        let SetReport { instance, sealer, results, .. } = run.last()?;
        let report = results.as_ref();
        // RFC 8601 §2.6: a result of an unknown version of its method may mean something else.
        let of = |method: &'static str| {
            let results = report.into_iter().flat_map(move |report| report.of_method(method));
            results.filter(|result| matches!(result.version, None | Some(1)))
        };
        let first_or = |method, wanted: fn(&str) -> bool| {
            of(method)
                .map(|found| &found.result)
                .find(|found| wanted(found))
                .or_else(|| of(method).map(|found| &found.result).next())
                .map(|result| Box::from(&**result))
        };
        let dmarc_domain = of("dmarc").find_map(|found| author_domains(found).next());
        Some(Self {
            instance: *instance,
            sealer: sealer.clone(),
            spf: first_or("spf", |_| true),
            dkim: first_or("dkim", |result| result == "pass"),
            dmarc: first_or("dmarc", |result| result != "pass"),
            dmarc_domain: dmarc_domain.and_then(Result::ok),
            results: results.clone(),
        })
    }

    /// Whether the sealer reported that DMARC passed for `author`, and nothing to the contrary.
    ///
    /// A report that names another author domain is about another From field than the message has now. One that names none counts
    /// only where it names an identifier of SPF or DKIM that passed and is at or below `organization`, the author's organizational
    /// domain: a message may have had a second From field when it was sealed, which whoever passed it on took away.
    pub fn reports_dmarc_pass(&self, author: &Domain, organization: Option<&Domain>) -> bool {
        let of = |method: &'static str| self.results.iter().flat_map(move |report| report.of_method(method));
        if self.dmarc.as_deref() != Some("pass") {
            return false;
        }
        let mut named = of("dmarc").flat_map(author_domains).peekable();
        if named.peek().is_some() {
            return named.all(|found| found.is_ok_and(|found| found == *author));
        }
        let organization = organization.unwrap_or(author);
        let passed = |result: &&MethodResult| &*result.result == "pass" && matches!(result.version, None | Some(1));
        let mut authenticated = of("spf").chain(of("dkim")).filter(passed);
        authenticated.any(|result| authenticated_domain(result).is_some_and(|found| found.is_at_or_below(organization)))
    }
}

/// Each `header.from` of a result of DMARC: a domain, before which some write the whole address.
fn author_domains(result: &MethodResult) -> impl Iterator<Item = Result<Domain, NameError>> {
    let named = result.properties.iter().filter(|property| property.is("header", "from"));
    named.map(|property| domain_of(&property.value))
}

/// The domain that a result of SPF or DKIM is about; `smtp.mfrom` and `header.i` alone are what some sealers write.
fn authenticated_domain(result: &MethodResult) -> Option<Domain> {
    let properties = match &*result.method {
        "dkim" => [("header", "d"), ("header", "i")],
        _ => [("smtp", "mailfrom"), ("smtp", "mfrom")],
    };
    let text = properties.into_iter().find_map(|(ptype, property)| result.property(ptype, property))?;
    domain_of(text).ok()
}

fn domain_of(text: &str) -> Result<Domain, NameError> {
    Domain::parse(text.rsplit_once('@').map_or(text, |(_, domain)| domain))
}
