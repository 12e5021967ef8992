//! `check_host()` of RFC 7208 §4.

use super::{
    DomainSpec,
    expand::Values,
    limits::{Budget, Limits, Spent},
    matched::{DirectiveAt, Path},
    mechanism,
    observe::{Observe, Tried},
    publication::{self, NotARecord, SharedRecord},
    record::{Mechanism, Modifier, Qualifier, Term},
    result::{Explanation, NeutralReason, NoneReason, PermError, SpfResult},
    term::{Place, Stop},
};
use crate::{
    dns::{Answer, LookupError},
    known::Known,
    name::Name,
};

/// The evaluation of one identity: all its includes and redirects spend one budget.
pub(super) struct CheckHost<'a, 'k, O> {
    pub(super) known: &'a mut Known<'k>,
    pub(super) values: &'a Values<'a>,
    pub(super) budget: Budget,
    observer: &'a mut O,
}

/// What `check_host()` comes to, but for its two errors.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    None(NoneReason),
    /// No directive of this domain matched, and there is no `redirect`.
    NoMatch(Name),
    Matched(Path, Explanation),
}

/// What a directive comes to.
enum Tested {
    NotMatched,
    Matched,
    /// An `include`, and what matched inside.
    Included(Path),
}

/// What was found at a domain, and how large its records are.
struct Found {
    published: Result<SharedRecord, Missing>,
    size: usize,
}

/// Why there is no record to go on with at a domain.
enum Missing {
    /// Nothing of any kind.
    Void(NoneReason),
    Other(NoneReason),
    Error(Stop),
}

impl<'a, 'k, O: Observe> CheckHost<'a, 'k, O> {
    pub(super) fn new(known: &'a mut Known<'k>, values: &'a Values<'a>, limits: Limits, observer: &'a mut O) -> Self {
        Self { known, values, budget: Budget::new(limits), observer }
    }

    pub(super) fn spent(&self) -> Spent {
        self.budget.spent()
    }

    /// `check_host()` for a domain: that of the identity, or the target of an `include` or a `redirect`, whose void answers count.
    /// `includes` are open around it.
    pub(super) fn check_host(&mut self, domain: &Name, includes: usize, is_target: bool) -> Result<Outcome, Stop> {
        let most = self.budget.records_size();
        let Found { published, size } = self.known.read_txt(domain, |answer| find(domain, most, answer))?; // §4.4, §4.5
        self.budget.consume_records(size);
        if is_target && matches!(published, Err(Missing::Void(_))) {
            // Counted, not judged: without a record at its target the term is a permerror anyway.
            let _ = self.budget.consume_void();
        }
        self.observer.entered(domain, published.as_deref().ok(), self.budget.spent());
        let outcome = match published {
            Ok(record) => self.evaluate(domain, &record, includes),
            Err(Missing::Void(reason) | Missing::Other(reason)) => Ok(Outcome::None(reason)), // §4.3, §4.5
            Err(Missing::Error(error)) => Err(error),                                         // §4.4, §4.6
        };
        self.left(&outcome);
        outcome
    }

    /// RFC 7208 §4.6 and §4.7.
    fn evaluate(&mut self, domain: &Name, record: &SharedRecord, includes: usize) -> Result<Outcome, Stop> {
        // §4.6.2: each from left to right.
        for (place, directive) in record.directives.iter().enumerate() {
            let term = Place { domain, term: Term::Directive(directive) };
            let tested = match mechanism::at_hand(&directive.mechanism, self.values.ip) {
                Some(false) => Ok(Tested::NotMatched),
                Some(true) => Ok(Tested::Matched),
                None => self.test(&directive.mechanism, term, includes),
            };
            if O::LISTENS && !matches!(tested, Err(Stop::Unknown)) {
                self.observer.tried(directive, Tried::of(&tested), self.budget.spent());
            }
            let included = match tested? {
                Tested::NotMatched => continue,
                Tested::Matched => None,
                Tested::Included(path) => Some(path),
            };
            let explanation = match &record.exp {
                // §6.2: an "exp" of an included record must not be used.
                Some(exp) if includes == 0 && directive.qualifier == Qualifier::Fail => {
                    self.explanation(&exp.domain, domain)?
                }
                _ => Explanation::Default,
            };
            let matched = DirectiveAt { domain: domain.clone(), record: record.clone(), place };
            return Ok(Outcome::Matched(Path::new(matched, included), explanation));
        }
        match record.effective_redirect() {
            None => Ok(Outcome::NoMatch(domain.clone())), // §4.7
            Some(redirect) => self.redirect(redirect, domain, includes),
        }
    }

    fn test(&mut self, mechanism: &Mechanism, place: Place<'_>, includes: usize) -> Result<Tested, Stop> {
        let Mechanism::Include(spec) = mechanism else {
            let matches = self.matches(mechanism, place)?;
            return Ok(if matches { Tested::Matched } else { Tested::NotMatched });
        };
        self.include(spec, place, includes)
    }

    /// RFC 7208 §5.2.
    fn include(&mut self, spec: &DomainSpec, place: Place<'_>, includes: usize) -> Result<Tested, Stop> {
        let Some(target) = self.include_target(spec, place, includes)? else { return Ok(Tested::NotMatched) };
        // The table of §5.2.
        match self.check_host(&target, includes + 1, true) {
            Ok(Outcome::Matched(path, _)) => Ok(match path.qualifier() {
                Qualifier::Pass => Tested::Included(path),
                Qualifier::Fail | Qualifier::SoftFail | Qualifier::Neutral => Tested::NotMatched,
            }),
            Ok(Outcome::NoMatch(_)) => Ok(Tested::NotMatched),
            // temperror and permerror, each as it is.
            Err(stop) => Err(stop),
            Ok(Outcome::None(reason)) => Err(place.no_record(target.as_str(), reason)),
        }
    }

    /// RFC 7208 §6.1.
    fn redirect(&mut self, redirect: &Modifier, domain: &Name, includes: usize) -> Result<Outcome, Stop> {
        let place = Place { domain, term: Term::Redirect(redirect) };
        let target = self.redirect_target(&redirect.domain, place)?;
        match self.check_host(&target, includes, true)? {
            Outcome::None(reason) => Err(place.no_record(target.as_str(), reason)),
            outcome => Ok(outcome),
        }
    }

    fn left(&mut self, outcome: &Result<Outcome, Stop>) {
        if O::LISTENS
            && let Some(result) = SpfResult::of(outcome.clone())
        {
            self.observer.left(&result, self.budget.spent());
        }
    }
}

/// RFC 7208 §4.4 and §4.5: what is published at a domain, read unless its size is more than `most`.
#[inline]
fn find(domain: &Name, most: usize, answer: Result<&Answer<Box<[u8]>>, &LookupError>) -> Found {
    let missing = match answer {
        Ok(Answer::Records(texts)) => {
            let publication::Found { record, size } = publication::find(texts, most);
            let published = match record {
                Some(record) => record.map_err(|reason| Missing::of(reason, texts, domain)),
                None => Err(Missing::Error(PermError::RecordsTooLarge { domain: domain.clone() }.into())),
            };
            return Found { published, size };
        }
        Ok(Answer::NoData(_)) => Missing::Void(NoneReason::NoRecord),
        Ok(Answer::NxDomain(_)) => Missing::Void(NoneReason::NxDomain),
        Err(error) => Missing::Error(Stop::lookup(domain, error.clone())),
    };
    Found { published: Err(missing), size: 0 }
}

impl Missing {
    #[cold]
    fn of(reason: NotARecord, texts: &[Box<[u8]>], domain: &Name) -> Self {
        let domain = domain.clone();
        match reason {
            NotARecord::NoRecord if texts.is_empty() => Self::Void(NoneReason::NoRecord),
            NotARecord::NoRecord => Self::Other(NoneReason::NoRecord),
            NotARecord::ManyRecords { count } => Self::Error(PermError::ManyRecords { domain, count }.into()),
            NotARecord::Syntax(fault) => Self::Error(PermError::Syntax { domain, fault }.into()),
        }
    }
}

impl Tried {
    fn of(tested: &Result<Tested, Stop>) -> Self {
        match tested {
            Ok(Tested::NotMatched) => Self::NotMatched,
            Ok(Tested::Matched | Tested::Included(_)) => Self::Matched,
            Err(_) => Self::Failed,
        }
    }
}

impl SpfResult {
    /// RFC 7208 §2.6; `None` where it is not known yet.
    pub(super) fn of(outcome: Result<Outcome, Stop>) -> Option<Self> {
        Some(match outcome {
            Ok(Outcome::None(reason)) => Self::None(reason),
            Ok(Outcome::NoMatch(domain)) => Self::Neutral(NeutralReason::NoMatch { domain }),
            Ok(Outcome::Matched(path, explanation)) => match path.qualifier() {
                Qualifier::Pass => Self::Pass(path.into()),
                Qualifier::Fail => Self::Fail(path.into(), explanation),
                Qualifier::SoftFail => Self::SoftFail(path.into()),
                Qualifier::Neutral => Self::Neutral(NeutralReason::Matched(path.into())),
            },
            Err(Stop::TempError(error)) => Self::TempError(*error),
            Err(Stop::PermError(error)) => Self::PermError(*error),
            Err(Stop::Unknown) => return None,
        })
    }
}
