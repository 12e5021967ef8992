//! The evaluation of SPF as a tree: who includes whom, which term matched, and what was spent by then.

use super::{
    text::{More, cut, cut_word},
    word::{keyword, word_as},
};
use crate::style::printable;
use mailverdict::spf::{Ignored, Observers, Spent, SpfReport, SpfReports, SpfResult, Step, Term, Tree, Tried, Visit};
use maud::{Markup, html};

/// Terms of one identity that are shown.
const MAX_TERMS: usize = 200;

/// So many terms in a row that did not match are folded.
const FOLDED: usize = 4;

/// The trees of both identities.
pub(super) fn trees(reports: &SpfReports, trees: &Observers<Tree>) -> Markup {
    let identities =
        [("SPF HELO", &reports.helo, &trees.helo), ("SPF MAIL FROM", &reports.mail_from, &trees.mail_from)];
    html! {
        @for (identity, report, tree) in identities {
            @if let Some(report) = report { (of_identity(identity, report, tree)) }
        }
    }
}

fn of_identity(identity: &str, report: &SpfReport, tree: &Tree) -> Markup {
    let mut terms = Terms { shown: 0, all: 0 };
    html! {
        h3 { (identity) ": " (keyword(report.result.keyword())) }
        p { (cut(&printable(&report.result.to_string()))) }
        p.muted { "lookups " (report.dns_lookups) ", void " (report.void_lookups) }
        @if let Some(root) = tree.root() {
            ul.tree { li { (terms.visit(root)) } }
        }
        (More { shown: terms.shown, all: terms.all })
    }
}

/// How many terms were met, and how many of them are shown.
struct Terms {
    shown: usize,
    all: usize,
}

impl Terms {
    /// Whether one more is shown.
    fn next(&mut self) -> bool {
        self.all += 1;
        let is_shown = self.all <= MAX_TERMS;
        self.shown += usize::from(is_shown);
        is_shown
    }

    /// A record with its terms. Records are included in each other 32 deep at most (RFC 7208 §4.6.4 has ten lookups for all of them).
    fn visit(&mut self, visit: &Visit) -> Markup {
        let result = visit.result.as_ref().map_or("none", SpfResult::keyword);
        html! {
            strong { (printable(visit.domain.as_str())) }
            ul {
                @for run in visit.steps.chunk_by(|one, next| is_passed_over(one) && is_passed_over(next)) {
                    (self.run(run, result))
                }
                @if let Some(redirect) = &visit.redirect {
                    @if self.next() {
                        li {
                            @if let Some(term) = visit.record.as_ref().and_then(|record| record.redirect.as_ref()) {
                                code { (term_text(Term::Redirect(term))) } " "
                            }
                            (spent(redirect.entered))
                            ul { li { (self.visit(redirect)) } }
                        }
                    }
                }
                @for Ignored { term, why, .. } in visit.ignored() {
                    @if self.next() { li { code { (term_text(term)) } " ignored: " (why) } }
                }
                li { (cut(&printable(&visit.end()))) }
            }
        }
    }

    /// Terms that stand side by side; many that did not match are folded.
    fn run(&mut self, run: &[Step], result: &str) -> Markup {
        let terms = html! { @for step in run { (self.step(step, result)) } };
        if run.len() < FOLDED {
            return terms;
        }
        html! {
            li { details { summary { (run.len()) " terms in a row: " (Tried::NotMatched) } ul { (terms) } } }
        }
    }

    /// A term of a record that came to `result`.
    fn step(&mut self, step: &Step, result: &str) -> Markup {
        if !self.next() {
            return html! {};
        }
        html! {
            li {
                code { (cut_word(&printable(&step.directive.to_string()))) } " "
                @if step.tried == Tried::NotMatched {
                    span.muted { (step.tried) }
                } @else {
                    (word_as(&step.tried.to_string(), result))
                }
                " " (spent(step.spent_itself()))
                @if let Some(inside) = &step.inside { ul { li { (self.visit(inside)) } } }
            }
        }
    }
}

/// Whether nothing more is to be told of a term than that it did not match.
fn is_passed_over(step: &Step) -> bool {
    step.tried == Tried::NotMatched && step.inside.is_none()
}

fn term_text(term: Term<'_>) -> String {
    cut_word(&printable(&term.to_string())).into_owned()
}

fn spent(spent: Spent) -> Markup {
    html! { span.muted { "lookups " (spent.lookups) ", void " (spent.void_lookups) } }
}
