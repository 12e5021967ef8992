//! An evaluation drawn as a tree.

use super::{
    limits::Spent,
    observe::{Observe, Tried},
    record::{Directive, Mechanism, Record, Term},
    result::SpfResult,
};
use crate::{lex::Printable, name::Name};
use std::fmt;

/// Remembers an evaluation as a tree; its text form draws it, a term a line, with the running counts beside each.
///
/// ```
/// use mailverdict::{Authenticator, Session, dns::Zone, spf::{Observers, Tree}};
/// use std::{net::Ipv4Addr, pin::pin, task::{Context, Waker}};
///
/// let zone = Zone::parse(r#"
/// contoso.com.      3600 IN TXT "v=spf1 ip4:192.0.2.7 include:_spf.contoso.com -all"
/// _spf.contoso.com. 3600 IN TXT "v=spf1 ip4:198.51.100.0/24 ~all"
/// "#, "zone.db").unwrap();
/// let authenticator = Authenticator::new(zone);
/// let session = Session::new(Ipv4Addr::new(203, 0, 113, 9)).with_mail_from("a@contoso.com");
/// let mut observers = Observers::<Tree>::default();
/// {
///     // A zone in memory has every answer at the first poll.
///     let check = pin!(authenticator.check_spf(&session, &mut observers));
///     assert!(check.poll(&mut Context::from_waker(Waker::noop())).is_ready());
/// }
/// assert_eq!(observers.mail_from.to_string(), "\
/// contoso.com
/// ├─ ip4:192.0.2.7             no match  lookups 0  void 0
/// ├─ include:_spf.contoso.com  no match  lookups 1  void 0
/// │  _spf.contoso.com
/// │  ├─ ip4:198.51.100.0/24    no match  lookups 1  void 0
/// │  ├─ ~all                   match     lookups 1  void 0
/// │  └─ softfail
/// ├─ -all                      match     lookups 1  void 0
/// └─ fail
/// ");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Those entered and not yet left, each but the first inside the one before it.
    open: Vec<Visit>,
    /// The one left last, until it is known which term it belongs to.
    closed: Option<Box<Visit>>,
}

/// The evaluation of one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Visit {
    /// Whose record was evaluated.
    pub domain: Name,
    /// The record; `None` where there is none that could be evaluated.
    pub record: Option<Record>,
    /// What had been spent when it began.
    pub entered: Spent,
    /// The directives that were tried.
    pub steps: Vec<Step>,
    /// Where `redirect` led.
    pub redirect: Option<Box<Visit>>,
    /// The result; `None` while the evaluation runs.
    pub result: Option<SpfResult>,
}

/// A directive that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The directive.
    pub directive: Directive,
    /// What came of it.
    pub tried: Tried,
    /// What had been spent afterwards.
    pub spent: Spent,
    /// For an `include`: the evaluation of its target, where it came to that.
    pub inside: Option<Box<Visit>>,
}

impl Step {
    /// What had been spent with the question that the term itself brought about; what it came to inside stands inside.
    pub fn spent_itself(&self) -> Spent {
        self.inside.as_ref().map_or(self.spent, |inside| inside.entered)
    }
}

impl Tree {
    /// The evaluation of the identity's own domain; `None` before its end.
    pub fn root(&self) -> Option<&Visit> {
        self.closed.as_deref().filter(|_| self.open.is_empty())
    }
}

impl Observe for Tree {
    fn entered(&mut self, domain: &Name, record: Option<&Record>, spent: Spent) {
        self.closed = None;
        self.open.push(Visit {
            domain: domain.clone(),
            record: record.cloned(),
            entered: spent,
            steps: Vec::new(),
            redirect: None,
            result: None,
        });
    }

    fn tried(&mut self, directive: &Directive, tried: Tried, spent: Spent) {
        let inside = self.closed.take();
        if let Some(visit) = self.open.last_mut() {
            visit.steps.push(Step { directive: directive.clone(), tried, spent, inside });
        }
    }

    fn left(&mut self, result: &SpfResult, _: Spent) {
        let redirect = self.closed.take();
        if let Some(visit) = self.open.pop() {
            self.closed = Some(Box::new(Visit { redirect, result: Some(result.clone()), ..visit }));
        }
    }
}

/// A line of the drawing.
struct Line {
    /// What stands on the left, guides included.
    text: String,
    beside: Option<Beside>,
}

/// What stands beside a term.
enum Beside {
    Tried(Option<Tried>, Spent),
    /// Why it has no effect.
    Ignored(&'static str),
}

impl Visit {
    fn draw(&self, guides: &str, lines: &mut Vec<Line>) {
        lines.push(Line { text: format!("{guides}{}", Printable(self.domain.as_str())), beside: None });
        for step in &self.steps {
            let Step { directive, tried, inside, .. } = step;
            lines.push(Line {
                text: format!("{guides}├─ {directive}"),
                beside: Some(Beside::Tried(Some(*tried), step.spent_itself())),
            });
            if let Some(inside) = inside {
                inside.draw(&format!("{guides}│  "), lines);
            }
        }
        if let Some(redirect) = &self.redirect {
            let term = self.record.as_ref().and_then(|record| record.redirect.as_ref()).map(Term::Redirect);
            let term = term.map(|term| term.to_string()).unwrap_or_default();
            lines
                .push(Line {
                    text: format!("{guides}├─ {term}"), beside: Some(Beside::Tried(None, redirect.entered))
                });
            redirect.draw(&format!("{guides}│  "), lines);
        }
        for Ignored { term, why } in self.ignored() {
            lines.push(Line { text: format!("{guides}├─ {term}"), beside: Some(Beside::Ignored(why)) });
        }
        lines.push(Line { text: format!("{guides}└─ {}", self.end()), beside: None });
    }

    /// The terms of the record that have no effect for any client, in its order; 32 at most.
    pub fn ignored(&self) -> Vec<Ignored<'_>> {
        self.record.as_ref().map(ignored).unwrap_or_default()
    }

    /// How the evaluation ended: the result, and its reason unless the tree itself shows which directive it was.
    pub fn end(&self) -> String {
        match &self.result {
            None => "not finished".to_owned(),
            Some(result) if result.matched().is_some() => result.keyword().to_owned(),
            Some(result) => format!("{}: {result}", result.keyword()),
        }
    }
}

/// A term that has no effect for any client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ignored<'r> {
    /// The term.
    pub term: Term<'r>,
    /// Why it has none.
    pub why: &'static str,
}

/// The terms of a record that have no effect for any client, in its order, each with the reason.
fn ignored(record: &Record) -> Vec<Ignored<'_>> {
    let is_all = |term: &Term<'_>| matches!(term, Term::Directive(directive) if directive.mechanism == Mechanism::All);
    let terms = record.terms();
    let all = terms.iter().position(is_all);
    let why = |(place, term): (usize, &Term<'_>)| match term {
        // RFC 7208 §5.1: "Mechanisms after "all" will never be tested."
        Term::Directive(_) if all.is_some_and(|all| place > all) => Some("it stands behind \"all\""),
        // §5.1: a "redirect" is ignored where there is an "all", whichever comes first.
        Term::Redirect(_) if all.is_some() => Some("it stands beside \"all\""),
        // §6: unrecognized modifiers are ignored.
        Term::UnknownModifier(_) => Some("a modifier that nobody knows"),
        Term::Directive(_) | Term::Redirect(_) | Term::Exp(_) => None,
    };
    let with_reasons =
        terms.iter().enumerate().filter_map(|(place, term)| Some(Ignored { term: *term, why: why((place, term))? }));
    with_reasons.take(MAX_IGNORED).collect()
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root().map_or(Ok(()), |root| root.fmt(f))
    }
}

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        self.draw("", &mut lines);
        // One long term must not push all counts out of sight.
        let widths = lines.iter().filter(|line| line.beside.is_some()).map(|line| line.text.chars().count());
        let width = widths.filter(|width| *width <= MAX_WIDTH).max().unwrap_or(0);
        for Line { text, beside } in &lines {
            match beside {
                None => writeln!(f, "{text}")?,
                Some(Beside::Ignored(why)) => writeln!(f, "{text:width$}  ignored: {why}")?,
                Some(Beside::Tried(tried, spent)) => {
                    let tried = tried.map(|tried| tried.to_string()).unwrap_or_default();
                    let Spent { lookups, void_lookups } = spent;
                    writeln!(f, "{text:width$}  {tried:8}  lookups {lookups}  void {void_lookups}")?;
                }
            }
        }
        Ok(())
    }
}

/// Terms without effect that are drawn of one record.
const MAX_IGNORED: usize = 32;
/// Columns that terms may take up before the counts begin; longer terms push their own counts to the right.
const MAX_WIDTH: usize = 72;
