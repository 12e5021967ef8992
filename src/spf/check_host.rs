//! `check_host()` of RFC 7208 §4.

use super::{
    expand::{Target, Values},
    limits::{Budget, Limit, Limits, Spent},
    matched::{DirectiveAt, Matched},
    observe::{Observe, Tried},
    parse,
    record::{Directive, Mechanism, Qualifier, Record},
    result::{Explanation, NeutralReason, NoneReason, PermError, SpfResult, TempError},
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
#[derive(Clone, Debug)]
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

/// Why a record was not entered.
#[derive(Debug)]
enum NotEntered {
    None(NoneReason),
    Exception(Exception),
}

/// Where a record leads.
#[derive(Debug)]
enum Next {
    Matched,
    Include(Name),
    Redirect(Name),
    /// Nothing matched, and there is no `redirect`.
    End,
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
    ///
    /// The records that are open stand in a path, each but the first included by the one before it; where they match, the path is
    /// what is reported.
    pub(super) async fn evaluate(&mut self, domain: &Name) -> SpfResult {
        let mut path = match self.enter(domain.clone(), false).await {
            Ok(outermost) => Matched { outermost, included: Vec::new() },
            Err(not_entered) => return self.left(1, not_entered.into()),
        };
        loop {
            let depth = path.included.len();
            match self.try_directives(path.innermost_mut(), depth).await {
                Ok(Next::Matched) => {
                    if self.leave_matched(&mut path) {
                        return self.conclude(path).await;
                    }
                }
                Ok(Next::End) => {
                    // RFC 7208 §4.7
                    let no_match = |domain| SpfResult::Neutral(NeutralReason::NoMatch { domain });
                    let Some(at) = path.included.pop() else {
                        return self.left(path.outermost.entered, no_match(path.outermost.domain));
                    };
                    self.left(at.entered, no_match(at.domain));
                    self.not_matched(path.innermost_mut());
                }
                Ok(Next::Include(target)) => match self.enter(target.clone(), true).await {
                    Ok(at) => path.included.push(at),
                    Err(not_entered) => {
                        let at = path.innermost();
                        let exception = at.not_included(&target, &not_entered);
                        self.left(1, not_entered.into());
                        self.observer.tried(at.directive(), Tried::Failed, self.budget.spent());
                        return self.abandon(&path, exception);
                    }
                },
                Ok(Next::Redirect(target)) => {
                    let entered = self.enter(target.clone(), true).await;
                    let at = path.innermost_mut();
                    at.entered += 1;
                    match entered {
                        Ok(target) => *at = DirectiveAt { entered: at.entered, ..target },
                        Err(not_entered) => {
                            let exception = at.not_redirected(&target, not_entered);
                            return self.abandon(&path, exception);
                        }
                    }
                }
                Err(exception) => return self.abandon(&path, exception),
            }
        }
    }

    /// RFC 7208 §4.3 to §4.6: the one SPF record of a domain. `is_target` of an `include` or a `redirect`, whose questions count.
    async fn enter(&mut self, domain: Name, is_target: bool) -> Result<DirectiveAt, NotEntered> {
        let published = match self.resolver.txt(&domain).await {
            Ok(answer) => {
                if is_target && answer.is_void() {
                    // Counted, not judged: without a record at its target the term is a permerror anyway.
                    let _ = self.budget.consume_void();
                }
                self.published(&domain, &answer)
            }
            Err(error) => Err(NotEntered::Exception(Exception::lookup(&domain, error))),
        };
        self.observer.entered(&domain, published.as_deref().ok(), self.budget.spent());
        published.map(|record| DirectiveAt { domain, record, place: 0, entered: 1 })
    }

    fn published(&self, domain: &Name, answer: &Answer<Box<[u8]>>) -> Result<Arc<Record>, NotEntered> {
        let texts = match answer {
            Answer::Records(texts) => texts,
            Answer::NoData => return Err(NotEntered::None(NoneReason::NoRecord)),
            Answer::NxDomain => return Err(NotEntered::None(NoneReason::NxDomain)),
        };
        self.memory.recall_with(texts, the_record, |read| Result::clone(read)).map_err(|reason| {
            let domain = domain.clone();
            match reason {
                NotARecord::NoRecord => NotEntered::None(NoneReason::NoRecord),
                NotARecord::ManyRecords { count } => {
                    NotEntered::Exception(PermError::ManyRecords { domain, count }.into())
                }
                NotARecord::Syntax(error) => NotEntered::Exception(PermError::Syntax { domain, error }.into()),
            }
        })
    }

    /// RFC 7208 §4.6.2: each directive from left to right, until one matches; `depth` includes are open.
    async fn try_directives(&mut self, at: &mut DirectiveAt, depth: usize) -> Result<Next, Exception> {
        while let Some(directive) = at.record.directives.get(at.place) {
            let matched = match self.at_hand(&directive.mechanism) {
                Some(matched) => Ok(matched),
                None => {
                    let place = Place { domain: &at.domain, term: Term::Directive(directive) };
                    match &directive.mechanism {
                        Mechanism::Include(spec) => match self.include_target(spec, place, depth).await {
                            Ok(Some(target)) => return Ok(Next::Include(target)),
                            Ok(None) => Ok(false),
                            Err(exception) => Err(exception),
                        },
                        mechanism => self.matches(mechanism, place).await,
                    }
                }
            };
            let tried = match matched {
                Ok(false) => Tried::NotMatched,
                Ok(true) => Tried::Matched,
                Err(_) => Tried::Failed,
            };
            self.observer.tried(directive, tried, self.budget.spent());
            if matched? {
                return Ok(Next::Matched);
            }
            at.place += 1;
        }
        let Some(spec) = at.record.effective_redirect() else { return Ok(Next::End) };
        let place = Place { domain: &at.domain, term: Term::Redirect(spec) };
        self.redirect_target(spec, place).await.map(Next::Redirect)
    }

    /// RFC 7208 §5.2: the includes match from the inside out, as long as each included record passes. Says whether the outermost
    /// directive has matched; where not, the innermost record that is left goes on.
    fn leave_matched(&mut self, path: &mut Matched) -> bool {
        for depth in (1..=path.included.len()).rev() {
            let Some(at) = path.included.get(depth - 1) else { continue };
            let passed = at.directive().qualifier == Qualifier::Pass;
            if O::LISTENS {
                let entered = at.entered;
                self.left(entered, decided(path.inside(depth), Explanation::Default));
            }
            if !passed {
                path.included.truncate(depth - 1);
                self.not_matched(path.innermost_mut());
                return false;
            }
            if O::LISTENS {
                let outer = path.inside(depth - 1);
                self.observer.tried(outer.directive(), Tried::Matched, self.budget.spent());
            }
        }
        true
    }

    /// The `include` that led to the record just left did not match.
    fn not_matched(&mut self, at: &mut DirectiveAt) {
        self.observer.tried(at.directive(), Tried::NotMatched, self.budget.spent());
        at.place += 1;
    }

    /// The outermost directive has matched.
    async fn conclude(&mut self, path: Matched) -> SpfResult {
        let DirectiveAt { domain, record, entered, .. } = &path.outermost;
        let (entered, exp) = (*entered, record.exp.as_ref());
        let explanation = match exp.filter(|_| path.directive().qualifier == Qualifier::Fail) {
            // §6.2: an "exp" of an included record must not be used. Boxed, for few want it and all would carry it.
            Some(exp) => Box::pin(self.explanation(exp, domain)).await,
            None => Explanation::Default,
        };
        self.left(entered, decided(path, explanation))
    }

    /// RFC 7208 §4.6.2: an exception ends all that is open.
    fn abandon(&mut self, path: &Matched, exception: Exception) -> SpfResult {
        let result = exception.into();
        if O::LISTENS {
            for (index, at) in path.path().rev().enumerate() {
                if index > 0 {
                    self.observer.tried(at.directive(), Tried::Failed, self.budget.spent());
                }
                (0..at.entered).for_each(|_| self.observer.left(&result, self.budget.spent()));
            }
        }
        result
    }

    /// A domain is left, and with it those whose `redirect` led there.
    fn left(&mut self, entered: usize, result: SpfResult) -> SpfResult {
        (0..entered).for_each(|_| self.observer.left(&result, self.budget.spent()));
        result
    }

    /// RFC 7208 §5.2; `None` where the term does not match.
    async fn include_target(
        &mut self,
        spec: &DomainSpec,
        place: Place<'_>,
        depth: usize,
    ) -> Result<Option<Name>, Exception> {
        self.begin_lookup(place)?;
        let target = match self.target(Some(spec), place).await? {
            Target::Name(target) if target.has_parent() => target,
            // §4.3 makes these "none", and that is a permerror here.
            Target::Name(target) => return Err(place.no_record(target.as_str(), NoneReason::NotFullyQualified)),
            Target::Malformed(text, error) => return Err(place.no_record(&text, NoneReason::NotAName(error))),
            // RFC 8616 §4: the term does not match.
            Target::NonAsciiLocalPart => return Ok(None),
        };
        Budget::allow_include(depth).map_err(|limit| place.exceeded(limit))?;
        Ok(Some(target))
    }

    /// RFC 7208 §6.1
    async fn redirect_target(&mut self, spec: &DomainSpec, place: Place<'_>) -> Result<Name, Exception> {
        self.begin_lookup(place)?;
        match self.target(Some(spec), place).await? {
            Target::Name(target) if target.has_parent() => Ok(target),
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

/// The result that a directive causes.
fn decided(matched: Matched, explanation: Explanation) -> SpfResult {
    match matched.directive().qualifier {
        Qualifier::Pass => SpfResult::Pass(matched),
        Qualifier::Fail => SpfResult::Fail(matched, explanation),
        Qualifier::SoftFail => SpfResult::SoftFail(matched),
        Qualifier::Neutral => SpfResult::Neutral(NeutralReason::Matched(matched)),
    }
}

impl DirectiveAt {
    /// What it comes to that the target of this `include` was not entered.
    fn not_included(&self, target: &Name, not_entered: &NotEntered) -> Exception {
        let place = Place { domain: &self.domain, term: Term::Directive(self.directive()) };
        match not_entered {
            NotEntered::None(reason) => place.no_record(target.as_str(), reason.clone()),
            NotEntered::Exception(exception) => exception.clone(),
        }
    }

    /// What it comes to that the target of the record's `redirect` was not entered.
    fn not_redirected(&self, target: &Name, not_entered: NotEntered) -> Exception {
        let term = self.record.redirect.as_ref().map_or(Term::Directive(self.directive()), Term::Redirect);
        match not_entered {
            NotEntered::None(reason) => Place { domain: &self.domain, term }.no_record(target.as_str(), reason),
            NotEntered::Exception(exception) => exception,
        }
    }
}

impl From<NotEntered> for SpfResult {
    fn from(not_entered: NotEntered) -> Self {
        match not_entered {
            NotEntered::None(reason) => Self::None(reason),
            NotEntered::Exception(exception) => exception.into(),
        }
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
