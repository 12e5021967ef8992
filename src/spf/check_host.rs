//! `check_host()` of RFC 7208 §4.

use super::{
    expand::{Target, Values},
    limits::{Budget, Limit, Limits, Spent},
    mechanism::Match,
    observe::{Observe, Tried},
    parse,
    record::{Directive, Mechanism, Qualifier, Record},
    result::{Explanation, Matched, NeutralReason, NoneReason, PermError, SpfResult, TempError},
    {DomainSpec, MacroLetter},
};
use crate::{
    dns::{Answer, LookupError, Resolver},
    lex::{SyntaxError, parse_all},
    memo::Memo,
    name::{Name, NameError},
};
use std::{fmt, sync::Arc};

/// The SPF records seen last, taken apart.
pub(crate) type RecordMemory = Memo<Result<Arc<Record>, NotARecord>>;

/// Why the texts at a name are no SPF record (RFC 7208 §4.5, §4.6).
#[derive(Clone, Debug)]
pub(crate) enum NotARecord {
    NoRecord,
    ManyRecords { count: usize },
    Syntax(SyntaxError),
}

/// The evaluation of one identity: all its includes and redirects spend one budget.
#[derive(Debug)]
pub(super) struct CheckHost<'a, R, O> {
    pub(super) resolver: &'a R,
    memory: &'a RecordMemory,
    pub(super) values: Values<'a>,
    pub(super) budget: Budget,
    observer: &'a mut O,
}

/// Evaluation stopped: the "exception" of RFC 7208 §4.6.2.
#[derive(Debug)]
pub(super) enum Exception {
    Temp(TempError),
    Perm(PermError),
}

/// A term under evaluation and the domain whose record holds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'t> {
    pub(super) domain: &'t Name,
    pub(super) term: Term<'t>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Term<'t> {
    Directive(&'t Directive),
    Redirect(&'t DomainSpec),
}

/// What a domain publishes.
enum Publication {
    Record(Arc<Record>),
    None(NoneReason),
}

/// Whether an explanation may be wanted (RFC 7208 §6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nesting {
    Outermost,
    Included,
}

impl<'a, R: Resolver, O: Observe> CheckHost<'a, R, O> {
    pub(super) fn new(
        resolver: &'a R,
        memory: &'a RecordMemory,
        values: Values<'a>,
        limits: Limits,
        observer: &'a mut O,
    ) -> Self {
        Self { resolver, memory, values, budget: Budget::new(limits), observer }
    }

    pub(super) fn spent(&self) -> Spent {
        self.budget.spent()
    }

    /// `check_host()` for the identity's own domain.
    pub(super) async fn evaluate(&mut self, domain: &Name) -> SpfResult {
        self.check_host(domain, Nesting::Outermost).await
    }

    /// `check_host()`. A `redirect` goes round the loop, an `include` recurses.
    async fn check_host(&mut self, domain: &Name, nesting: Nesting) -> SpfResult {
        let mut domain = domain.clone();
        let mut entered = 0_usize;
        // The record whose `redirect` led here, and its domain.
        let mut redirected_from: Option<(Arc<Record>, Name)> = None;
        let result = loop {
            entered += 1;
            let record =
                match self.publication(&domain, nesting == Nesting::Included || redirected_from.is_some()).await {
                    Ok(Publication::Record(record)) => record,
                    Ok(Publication::None(reason)) => {
                        self.observer.entered(&domain, None, self.budget.spent());
                        let redirect =
                            redirected_from.as_ref().and_then(|(record, from)| Some((record.redirect.as_ref()?, from)));
                        break match redirect {
                            Some((spec, from)) => Place { domain: from, term: Term::Redirect(spec) }
                                .no_record(domain.as_str(), reason)
                                .into(),
                            None => SpfResult::None(reason),
                        };
                    }
                    Err(exception) => {
                        self.observer.entered(&domain, None, self.budget.spent());
                        break exception.into();
                    }
                };
            self.observer.entered(&domain, Some(&record), self.budget.spent());
            match self.directives(&record, &domain, nesting).await {
                Ok(Some(result)) => break result,
                Ok(None) => {}
                Err(exception) => break exception.into(),
            }
            let Some(spec) = record.effective_redirect() else {
                // RFC 7208 §4.7
                break SpfResult::Neutral(NeutralReason::NoMatch { domain });
            };
            let place = Place { domain: &domain, term: Term::Redirect(spec) };
            let target = match self.redirect_target(spec, place).await {
                Ok(target) => target,
                Err(exception) => break exception.into(),
            };
            redirected_from = Some((record, std::mem::replace(&mut domain, target)));
        };
        let spent = self.spent();
        for _ in 0..entered {
            self.observer.left(&result, spent);
        }
        result
    }

    /// RFC 7208 §4.3 to §4.6: the one SPF record of a domain. `is_target` of an `include` or a `redirect`, whose questions count.
    async fn publication(&mut self, domain: &Name, is_target: bool) -> Result<Publication, Exception> {
        let answer = self.resolver.txt(domain).await.map_err(|error| Exception::lookup(domain, error))?;
        if is_target && answer.is_void() {
            // Counted, not judged: without a record at its target the term is a permerror anyway.
            let _ = self.budget.consume_void();
        }
        let texts = match answer {
            Answer::Records(texts) => texts,
            Answer::NoData => return Ok(Publication::None(NoneReason::NoRecord)),
            Answer::NxDomain => return Ok(Publication::None(NoneReason::NxDomain)),
        };
        match &*self.memory.recall(&texts, the_record) {
            Ok(record) => Ok(Publication::Record(Arc::clone(record))),
            Err(NotARecord::NoRecord) => Ok(Publication::None(NoneReason::NoRecord)),
            Err(NotARecord::ManyRecords { count }) => {
                Err(PermError::ManyRecords { domain: domain.clone(), count: *count }.into())
            }
            Err(NotARecord::Syntax(error)) => {
                Err(PermError::Syntax { domain: domain.clone(), error: error.clone() }.into())
            }
        }
    }

    /// RFC 7208 §4.6.2: each directive from left to right, until one matches.
    async fn directives(
        &mut self,
        record: &Record,
        domain: &Name,
        nesting: Nesting,
    ) -> Result<Option<SpfResult>, Exception> {
        for directive in &record.directives {
            let outcome = self.try_directive(directive, domain).await;
            let tried = match &outcome {
                Ok(Match::No) => Tried::NotMatched,
                Ok(Match::Yes | Match::Included(_)) => Tried::Matched,
                Err(_) => Tried::Failed,
            };
            self.observer.tried(directive, tried, self.budget.spent());
            let inner = match outcome? {
                Match::No => continue,
                Match::Yes => None,
                Match::Included(inner) => Some(inner),
            };
            let matched = Matched { domain: domain.clone(), directive: directive.clone(), inner };
            return Ok(Some(match directive.qualifier {
                Qualifier::Pass => SpfResult::Pass(matched),
                Qualifier::Fail => {
                    let explanation = match (&record.exp, nesting) {
                        (Some(exp), Nesting::Outermost) => self.explanation(exp, domain).await,
                        // §6.2: an "exp" of an included record must not be used.
                        (Some(_), Nesting::Included) | (None, _) => Explanation::Default,
                    };
                    SpfResult::Fail(matched, explanation)
                }
                Qualifier::SoftFail => SpfResult::SoftFail(matched),
                Qualifier::Neutral => SpfResult::Neutral(NeutralReason::Matched(matched)),
            }));
        }
        Ok(None)
    }

    async fn try_directive(&mut self, directive: &Directive, domain: &Name) -> Result<Match, Exception> {
        let place = Place { domain, term: Term::Directive(directive) };
        match &directive.mechanism {
            Mechanism::Include(spec) => self.include(spec, place).await,
            mechanism => {
                self.matches(mechanism, place).await.map(|matched| if matched { Match::Yes } else { Match::No })
            }
        }
    }

    /// RFC 7208 §5.2
    async fn include(&mut self, spec: &DomainSpec, place: Place<'_>) -> Result<Match, Exception> {
        self.begin_lookup(place)?;
        let target = match self.target(Some(spec), place).await? {
            Target::Name(target) if target.label_count() > 1 => target,
            // §4.3 makes these "none", and that is a permerror here.
            Target::Name(target) => return Err(place.no_record(target.as_str(), NoneReason::NotFullyQualified)),
            Target::Malformed(text, error) => return Err(place.no_record(&text, NoneReason::NotAName(error))),
            // RFC 8616 §4: the term does not match.
            Target::NonAsciiLocalPart => return Ok(Match::No),
        };
        // The only recursion, as deep as the budget allows.
        self.budget.enter_include().map_err(|limit| place.exceeded(limit))?;
        let result = Box::pin(self.check_host(&target, Nesting::Included)).await;
        self.budget.leave_include();
        match result {
            SpfResult::Pass(inner) => Ok(Match::Included(Box::new(inner))),
            SpfResult::Fail(..) | SpfResult::SoftFail(_) | SpfResult::Neutral(_) => Ok(Match::No),
            SpfResult::TempError(error) => Err(Exception::Temp(error)),
            SpfResult::PermError(error) => Err(Exception::Perm(error)),
            SpfResult::None(reason) => Err(place.no_record(target.as_str(), reason)),
        }
    }

    /// RFC 7208 §6.1
    async fn redirect_target(&mut self, spec: &DomainSpec, place: Place<'_>) -> Result<Name, Exception> {
        self.begin_lookup(place)?;
        match self.target(Some(spec), place).await? {
            Target::Name(target) if target.label_count() > 1 => Ok(target),
            Target::Name(target) => Err(place.no_record(target.as_str(), NoneReason::NotFullyQualified)),
            Target::Malformed(text, error) => Err(place.no_record(&text, NoneReason::NotAName(error))),
            // RFC 8616 §4 speaks of matching, which a "redirect" never does: its target is malformed (§6.1).
            Target::NonAsciiLocalPart => {
                Err(place.no_record(&spec.to_string(), NoneReason::NotAName(NameError::NotAscii)))
            }
        }
    }

    /// RFC 7208 §6.2: whatever goes wrong here, the result stands, as if there were no `exp`.
    async fn explanation(&mut self, exp: &DomainSpec, domain: &Name) -> Explanation {
        self.published_explanation(exp, domain).await.map_or(Explanation::Default, Explanation::Published)
    }

    async fn published_explanation(&mut self, exp: &DomainSpec, domain: &Name) -> Option<Box<str>> {
        let uses_p = exp.macro_string().uses(MacroLetter::ValidatedDomain);
        // §4.6.4: "exp" and what it asks for is not subject to the limits; it happens once, after the result.
        let mut validated = if uses_p { Some(self.validated_domain(domain).await?) } else { None };
        let target = match exp.literal() {
            Some(target) => target.clone(),
            None => match self.values.target(exp, domain, validated.as_deref().unwrap_or_default()) {
                Target::Name(target) => target,
                Target::Malformed(..) | Target::NonAsciiLocalPart => return None,
            },
        };
        let answer = self.resolver.txt(&target).await.ok()?;
        let [text] = answer.records() else { return None };
        let text = parse_all(text, parse::explain_string).ok()?;
        if validated.is_none() && text.uses(MacroLetter::ValidatedDomain) {
            validated = Some(self.validated_domain(domain).await?);
        }
        self.values.explanation(&text, domain, validated.as_deref().unwrap_or_default())
    }

    /// The target name of a term: its domain specification expanded, or the domain of the record (RFC 7208 §4.8).
    pub(super) async fn target(&mut self, spec: Option<&DomainSpec>, place: Place<'_>) -> Result<Target, Exception> {
        let Some(spec) = spec else { return Ok(Target::Name(place.domain.clone())) };
        if let Some(literal) = spec.literal() {
            return Ok(Target::Name(literal.clone()));
        }
        let mut validated = None;
        if spec.macro_string().uses(MacroLetter::ValidatedDomain) {
            // §4.6.4: the PTR question of a "p" macro is included in the overall limit.
            self.budget.consume_lookup().map_err(|limit| place.exceeded(limit))?;
            validated = Some(self.validated_domain_of_term(place).await?);
        }
        Ok(self.values.target(spec, place.domain, validated.as_deref().unwrap_or_default()))
    }

    /// A term that asks the DNS begins.
    pub(super) fn begin_lookup(&mut self, place: Place<'_>) -> Result<(), Exception> {
        self.budget.begin_term();
        self.budget.consume_lookup().map_err(|limit| place.exceeded(limit))
    }
}

/// RFC 7208 §4.5 and §4.6: the one SPF record among the texts at a name.
fn the_record(texts: &[Box<[u8]>]) -> Result<Arc<Record>, NotARecord> {
    let mut records = texts.iter().filter(|text| Record::has_version(text));
    match (records.next(), records.count()) {
        (None, _) => Err(NotARecord::NoRecord),
        (Some(text), 0) => Record::parse(text).map(Arc::new).map_err(NotARecord::Syntax),
        (Some(_), others) => Err(NotARecord::ManyRecords { count: others + 1 }),
    }
}

impl Place<'_> {
    pub(super) fn exceeded(&self, limit: Limit) -> Exception {
        let term = self.term.to_string().into();
        PermError::LimitExceeded { limit, domain: self.domain.clone(), term }.into()
    }

    fn no_record(&self, target: &str, reason: NoneReason) -> Exception {
        let term = self.term.to_string().into();
        PermError::NoRecordAtTarget { domain: self.domain.clone(), term, target: target.into(), reason }.into()
    }
}

impl fmt::Display for Term<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directive(directive) => directive.fmt(f),
            Self::Redirect(spec) => write!(f, "redirect={spec}"),
        }
    }
}

impl Exception {
    pub(super) fn lookup(name: &Name, error: LookupError) -> Self {
        Self::Temp(TempError::Lookup { name: name.clone(), error })
    }
}

impl From<PermError> for Exception {
    fn from(error: PermError) -> Self {
        Self::Perm(error)
    }
}

impl From<Exception> for SpfResult {
    fn from(exception: Exception) -> Self {
        match exception {
            Exception::Temp(error) => Self::TempError(error),
            Exception::Perm(error) => Self::PermError(error),
        }
    }
}
