//! `check_host()` of RFC 7208 §4.

use super::{
    Sources,
    ahead::Ahead,
    expand::Values,
    limits::{Budget, Limits, Spent},
    matched::{DirectiveAt, Path},
    mechanism,
    observe::{Observe, Tried},
    publication::{self, NotARecord, RecordMemory},
    record::{Mechanism, Qualifier, Record},
    result::{Explanation, NeutralReason, NoneReason, PermError, SpfResult},
    term::{Exception, Place, Term},
};
use crate::{
    dns::{Answer, LookupError, inquiry::Reading},
    name::Name,
};
use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
};

/// The evaluation of one identity: all its includes and redirects spend one budget.
#[derive(Debug)]
pub(super) struct CheckHost<'a, R, O> {
    sources: &'a Sources<'a, R>,
    pub(super) resolver: &'a R,
    pub(super) values: &'a Values<'a>,
    pub(super) budget: Budget,
    observer: &'a mut O,
}

/// Why a record was not entered.
#[derive(Debug)]
enum NotEntered {
    /// There is no record of any kind.
    Void(NoneReason),
    None(NoneReason),
    Exception(Exception),
}

/// A record that was entered. Small, for it is handed on from future to future.
type Entered = Result<Arc<Record>, Box<NotEntered>>;

/// What was found at a domain, and how large its records are.
#[derive(Debug)]
struct Found {
    entered: Entered,
    size: usize,
}

/// How far a record leads without a question.
#[derive(Debug)]
enum Scan {
    Matched,
    /// To an `include` whose target needs no expansion.
    Include(Name),
    /// To another term that asks.
    Asks,
    /// Nothing matched, and there is no `redirect`.
    End,
}

/// What a term that asks came to, and what was found where it leads.
#[derive(Debug)]
enum Step {
    Matched,
    NotMatched,
    Include(Name, Entered),
    Redirect(Name, Entered),
}

impl<'a, R: Reading, O: Observe> CheckHost<'a, R, O> {
    pub(super) fn new(
        sources: &'a Sources<'a, R>,
        resolver: &'a R,
        values: &'a Values<'a>,
        limits: Limits,
        observer: &'a mut O,
    ) -> Self {
        Self { sources, resolver, values, budget: Budget::new(limits), observer }
    }

    pub(super) fn spent(&self) -> Spent {
        self.budget.spent()
    }

    /// `check_host()` for the identity's own domain.
    ///
    /// The records that are open stand in a path, each but the first included by the one before it; where they match, the path is
    /// what is reported.
    pub(super) async fn evaluate(&mut self, domain: &Name) -> SpfResult {
        let mut path = match self.enter(domain, false).await {
            Ok(record) => Path { outermost: DirectiveAt::first(domain.clone(), record), included: Vec::new() },
            Err(not_entered) => return self.left(1, (*not_entered).into()),
        };
        // Made when something has to be waited for.
        let mut ahead = None;
        loop {
            let depth = path.included.len();
            let at = path.innermost_mut();
            match self.scan(at, depth) {
                Ok(Scan::Matched) => {
                    if self.leave_matched(&mut path) {
                        break;
                    }
                }
                // As `Step::Include` below; few records ask for anything else.
                Ok(Scan::Include(target)) => {
                    let (sources, values, limits) = (self.sources, self.values, self.budget.limits());
                    let entered = {
                        let mut enter = pin!(self.enter(&target, true));
                        match poll_fn(|cx| Poll::Ready(enter.as_mut().poll(cx))).await {
                            Poll::Ready(entered) => entered,
                            Poll::Pending => {
                                let make = || Box::new(Ahead::new(sources, values, limits));
                                ahead.get_or_insert_with(make).beside(&path, enter).await
                            }
                        }
                    };
                    match entered {
                        Ok(record) => path.included.push(DirectiveAt::first(target, record)),
                        Err(not_entered) => return self.include_failed(&path, &target, *not_entered),
                    }
                }
                Ok(Scan::End) => {
                    // RFC 7208 §4.7
                    let no_match = |domain| SpfResult::Neutral(NeutralReason::NoMatch { domain });
                    let Some(at) = path.included.pop() else {
                        return self.left(path.outermost.entered, no_match(path.outermost.domain));
                    };
                    self.left(at.entered, no_match(at.domain));
                    self.not_matched(path.innermost_mut());
                }
                Ok(Scan::Asks) => {
                    let (sources, values, limits) = (self.sources, self.values, self.budget.limits());
                    let step = {
                        let mut step = pin!(self.step(path.innermost(), depth));
                        match poll_fn(|cx| Poll::Ready(step.as_mut().poll(cx))).await {
                            Poll::Ready(step) => step,
                            Poll::Pending => {
                                let make = || Box::new(Ahead::new(sources, values, limits));
                                ahead.get_or_insert_with(make).beside(&path, step).await
                            }
                        }
                    };
                    let at = path.innermost_mut();
                    match step {
                        Ok(Step::Matched) => {
                            if self.leave_matched(&mut path) {
                                break;
                            }
                        }
                        Ok(Step::NotMatched) => at.place += 1,
                        Ok(Step::Include(target, Ok(record))) => path.included.push(DirectiveAt::first(target, record)),
                        Ok(Step::Include(target, Err(not_entered))) => {
                            return self.include_failed(&path, &target, *not_entered);
                        }
                        Ok(Step::Redirect(target, Ok(record))) => {
                            *at = DirectiveAt { entered: at.entered + 1, ..DirectiveAt::first(target, record) };
                        }
                        Ok(Step::Redirect(target, Err(not_entered))) => {
                            at.entered += 1;
                            let exception = at.not_redirected(&target, *not_entered);
                            return self.abandon(&path, exception);
                        }
                        Err(exception) => return self.abandon(&path, exception),
                    }
                }
                Err(exception) => return self.abandon(&path, exception),
            }
        }
        // The outermost directive has matched.
        let DirectiveAt { domain, record, entered, .. } = &path.outermost;
        let (entered, exp) = (*entered, record.exp.as_ref());
        let explanation = match exp.filter(|_| path.outermost.directive().qualifier == Qualifier::Fail) {
            // §6.2: an "exp" of an included record must not be used. Boxed, for few want it and all would carry it.
            Some(exp) => {
                let explanation = Box::pin(self.explanation(exp, domain));
                match &mut ahead {
                    Some(ahead) => ahead.until(explanation).await,
                    None => explanation.await,
                }
            }
            None => Explanation::Default,
        };
        self.left(entered, decided(path, explanation))
    }

    /// RFC 7208 §4.6.2: each directive from left to right, until one matches or asks; `depth` includes are open.
    #[inline]
    fn scan(&mut self, at: &mut DirectiveAt, depth: usize) -> Result<Scan, Exception> {
        while let Some(directive) = at.record.directives.get(at.place) {
            match mechanism::at_hand(&directive.mechanism, self.values.ip) {
                Some(true) => {
                    self.observer.tried(directive, Tried::Matched, self.budget.spent());
                    return Ok(Scan::Matched);
                }
                Some(false) => {
                    self.observer.tried(directive, Tried::NotMatched, self.budget.spent());
                    at.place += 1;
                }
                None => {
                    let Mechanism::Include(spec) = &directive.mechanism else { return Ok(Scan::Asks) };
                    let Some(target) = spec.literal().filter(|target| target.has_parent()) else {
                        return Ok(Scan::Asks);
                    };
                    let place = Place { domain: &at.domain, term: Term::Directive(directive) };
                    return match self.begin_include(place, depth) {
                        Ok(()) => Ok(Scan::Include(target.clone())),
                        Err(exception) => {
                            self.observer.tried(directive, Tried::Failed, self.budget.spent());
                            Err(exception)
                        }
                    };
                }
            }
        }
        Ok(if at.record.effective_redirect().is_some() { Scan::Asks } else { Scan::End })
    }

    /// The term that the innermost record has come to, and what is found where it leads.
    async fn step(&mut self, at: &DirectiveAt, depth: usize) -> Result<Step, Exception> {
        let Some(directive) = at.record.directives.get(at.place) else {
            let Some(spec) = at.record.effective_redirect() else { return Ok(Step::NotMatched) };
            let place = Place { domain: &at.domain, term: Term::Redirect(spec) };
            let target = self.redirect_target(spec, place).await?;
            let entered = self.enter(&target, true).await;
            return Ok(Step::Redirect(target, entered));
        };
        let place = Place { domain: &at.domain, term: Term::Directive(directive) };
        let matched = match &directive.mechanism {
            Mechanism::Include(spec) => match self.include_target(spec, place, depth).await {
                Ok(Some(target)) => {
                    let entered = self.enter(&target, true).await;
                    return Ok(Step::Include(target, entered));
                }
                Ok(None) => Ok(false),
                Err(exception) => Err(exception),
            },
            mechanism => self.matches(mechanism, place).await,
        };
        let tried = match matched {
            Ok(false) => Tried::NotMatched,
            Ok(true) => Tried::Matched,
            Err(_) => Tried::Failed,
        };
        self.observer.tried(directive, tried, self.budget.spent());
        Ok(if matched? { Step::Matched } else { Step::NotMatched })
    }

    /// RFC 7208 §5.2: the target of the innermost record's `include` was not entered.
    fn include_failed(&mut self, path: &Path, target: &Name, not_entered: NotEntered) -> SpfResult {
        let at = path.innermost();
        let exception = at.not_included(target, &not_entered);
        self.left(1, not_entered.into());
        self.observer.tried(at.directive(), Tried::Failed, self.budget.spent());
        self.abandon(path, exception)
    }

    /// RFC 7208 §4.3 to §4.6: the one SPF record of a domain. `is_target` of an `include` or a `redirect`, whose questions count.
    async fn enter(&mut self, domain: &Name, is_target: bool) -> Entered {
        let (memory, most) = (&self.sources.memory.records, self.budget.records_size());
        let found = self.resolver.read_txt(domain, |answer| published(memory, domain, most, answer)).await;
        let Found { entered, size } = found;
        self.budget.consume_records(size);
        if is_target && entered.as_ref().is_err_and(|not_entered| not_entered.is_void()) {
            // Counted, not judged: without a record at its target the term is a permerror anyway.
            let _ = self.budget.consume_void();
        }
        self.observer.entered(domain, entered.as_deref().ok(), self.budget.spent());
        entered
    }

    /// RFC 7208 §5.2: the includes match from the inside out, as long as each included record passes. Says whether the outermost
    /// directive has matched; where not, the innermost record that is left goes on.
    fn leave_matched(&mut self, path: &mut Path) -> bool {
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
                self.observer.tried(outer.outermost.directive(), Tried::Matched, self.budget.spent());
            }
        }
        true
    }

    /// The `include` that led to the record just left did not match.
    fn not_matched(&mut self, at: &mut DirectiveAt) {
        self.observer.tried(at.directive(), Tried::NotMatched, self.budget.spent());
        at.place += 1;
    }

    /// RFC 7208 §4.6.2: an exception ends all that is open.
    fn abandon(&mut self, path: &Path, exception: Exception) -> SpfResult {
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
    #[inline]
    fn left(&mut self, entered: usize, result: SpfResult) -> SpfResult {
        (0..entered).for_each(|_| self.observer.left(&result, self.budget.spent()));
        result
    }
}

/// What is published at a domain, read unless its size is more than `most`.
#[inline]
fn published(
    memory: &RecordMemory,
    domain: &Name,
    most: usize,
    answer: Result<&Answer<Box<[u8]>>, &LookupError>,
) -> Found {
    let reason = match answer {
        Ok(Answer::Records(texts)) => {
            let size = publication::size(texts);
            let entered = if size > most {
                Err(Box::new(NotEntered::Exception(PermError::RecordsTooLarge { domain: domain.clone() }.into())))
            } else {
                publication::recall(memory, texts).map_err(|reason| Box::new(NotEntered::of(reason, texts, domain)))
            };
            return Found { entered, size };
        }
        Ok(Answer::NoData) => NotEntered::Void(NoneReason::NoRecord),
        Ok(Answer::NxDomain) => NotEntered::Void(NoneReason::NxDomain),
        Err(error) => NotEntered::Exception(Exception::lookup(domain, error.clone())),
    };
    Found { entered: Err(Box::new(reason)), size: 0 }
}

impl NotEntered {
    #[cold]
    fn of(reason: NotARecord, texts: &[Box<[u8]>], domain: &Name) -> Self {
        let domain = domain.clone();
        match reason {
            NotARecord::NoRecord if texts.is_empty() => Self::Void(NoneReason::NoRecord),
            NotARecord::NoRecord => Self::None(NoneReason::NoRecord),
            NotARecord::ManyRecords { count } => Self::Exception(PermError::ManyRecords { domain, count }.into()),
            NotARecord::Syntax(error) => Self::Exception(PermError::Syntax { domain, error }.into()),
        }
    }

    /// Whether the answer was without records; one whose records are none of SPF is not.
    fn is_void(&self) -> bool {
        matches!(self, Self::Void(_))
    }
}

/// The result that a directive causes.
#[inline]
fn decided(path: Path, explanation: Explanation) -> SpfResult {
    match path.outermost.directive().qualifier {
        Qualifier::Pass => SpfResult::Pass(path.into()),
        Qualifier::Fail => SpfResult::Fail(path.into(), explanation),
        Qualifier::SoftFail => SpfResult::SoftFail(path.into()),
        Qualifier::Neutral => SpfResult::Neutral(NeutralReason::Matched(path.into())),
    }
}

impl DirectiveAt {
    /// Where the evaluation of a record begins.
    #[inline]
    fn first(domain: Name, record: Arc<Record>) -> Self {
        Self { domain, record, place: 0, entered: 1 }
    }

    /// What it comes to that the target of this `include` was not entered.
    fn not_included(&self, target: &Name, not_entered: &NotEntered) -> Exception {
        let place = Place { domain: &self.domain, term: Term::Directive(self.directive()) };
        match not_entered {
            NotEntered::Void(reason) | NotEntered::None(reason) => place.no_record(target.as_str(), reason.clone()),
            NotEntered::Exception(exception) => exception.clone(),
        }
    }

    /// What it comes to that the target of the record's `redirect` was not entered.
    fn not_redirected(&self, target: &Name, not_entered: NotEntered) -> Exception {
        let term = self.record.redirect.as_ref().map_or(Term::Directive(self.directive()), Term::Redirect);
        match not_entered {
            NotEntered::Void(reason) | NotEntered::None(reason) => {
                Place { domain: &self.domain, term }.no_record(target.as_str(), reason)
            }
            NotEntered::Exception(exception) => exception,
        }
    }
}

impl From<NotEntered> for SpfResult {
    fn from(not_entered: NotEntered) -> Self {
        match not_entered {
            NotEntered::Void(reason) | NotEntered::None(reason) => Self::None(reason),
            NotEntered::Exception(exception) => exception.into(),
        }
    }
}
