//! Pages as documents that browsers show: the same words as those of the terminal, with pictures. Here that of one message.

mod chain;
mod change;
mod coverage;
mod document;
mod finding;
mod look;
mod policy;
mod readings;
mod signature;
mod text;
mod timeline;
mod tree;
mod word;

use crate::{
    args::Output,
    conclusion::{Conclusion, Offer},
    explain::question_steps,
    failure::Failure,
    page::{client_lines, compared},
    print,
    report::Report,
    reports::{Hosts, Readings},
    rows::table,
    style::{Row, printable},
    told::{Difference, IN_WORDS, RECORDED, of_weight},
};
use document::{Document, Section};
use mailverdict::{
    known::Log,
    spf::{Observers, Tree},
};
use maud::{Markup, html};
use std::{fs, path::Path};
use text::{Bounded, cut, cut_word, octets};

/// Rows of the table that are shown.
const MAX_ROWS: usize = 40;
/// Questions to the DNS that are shown.
const MAX_QUESTIONS: usize = 200;
/// Differences to what was recorded that are shown.
const MAX_DIFFERENCES: usize = 40;
/// Octets of a field of the message that are shown above all.
const MAX_FIELD: usize = 300;

/// What a page shows of one message.
#[derive(Debug)]
pub(crate) struct Page<'p> {
    pub(crate) report: &'p Report<'p>,
    pub(crate) trees: &'p Observers<Tree>,
    /// Which file it is.
    pub(crate) name: &'p str,
    /// In what the verdict differs from the one that was recorded, where there is one.
    pub(crate) differences: Option<&'p [Difference]>,
}

/// Whether the file stands for standard output, so that nothing else is printed there.
pub(crate) fn is_standard_output(path: &Path) -> bool {
    path == Path::new("-")
}

/// Writes the page of a look at a domain.
pub(crate) fn write_look(report: &mailverdict::lint::Report, path: &Path) -> Result<(), Failure> {
    write(&look::text(report), path)
}

/// Writes the page of what reports say.
pub(crate) fn write_readings(readings: &Readings, hosts: &Hosts, path: &Path) -> Result<(), Failure> {
    write(&readings::text(readings, hosts), path)
}

fn write(text: &str, path: &Path) -> Result<(), Failure> {
    if is_standard_output(path) {
        return print(text);
    }
    fs::write(path, text).map_err(|error| Failure::Unwritable { path: path.to_owned(), error })
}

/// Standard output takes one thing, the page or JSON.
pub(crate) fn assert_free(html: Option<&Path>, output: &Output) -> Result<(), Failure> {
    if output.json && html.is_some_and(is_standard_output) {
        return Err(Failure::Usage("--html - and --json both write to standard output".to_owned()));
    }
    Ok(())
}

impl Page<'_> {
    /// Writes the page to a file, or to standard output.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        write(&self.text(), path)
    }

    /// The whole document.
    fn text(&self) -> String {
        let report = self.report;
        let conclusion = Conclusion::of(report);
        let result = conclusion.result.unwrap_or("not known");
        let author = report.verdict.dmarc.author_domain.as_ref().map_or("-", |domain| domain.as_str());
        let title = format!("DMARC: {result}, {} - mailverdict", printable(author));
        Document { title, top: self.top(&conclusion, result), sections: self.sections() }.into_text()
    }

    fn top(&self, conclusion: &Conclusion, result: &str) -> Markup {
        html! {
            h1 { "DMARC: " (word::keyword(result)) }
            p.said { (cut(&conclusion.sentence)) }
            @if let Some(disposition) = conclusion.disposition {
                p { "Disposition: " (word::keyword(disposition)) }
            }
            @if let Some(Offer { disposition, words }) = &conclusion.offer {
                p { "Override: " (word::keyword(disposition)) " " (cut(words)) }
            }
            @for line in client_lines(self.report) { p { (cut(&line)) } }
            (self.message())
        }
    }

    /// By what its reader knows it again.
    fn message(&self) -> Markup {
        let header = self.report.message.header();
        html! {
            dl {
                dt { "File" }
                dd { (cut(&printable(self.name))) }
                @for name in ["From", "To", "Subject", "Date", "Message-ID"] {
                    @if let Some(field) = header.named(name).next() {
                        dt { (name) }
                        dd { code { (one_line(field.value())) } }
                    }
                }
            }
        }
    }

    fn sections(&self) -> Vec<Section> {
        let report = self.report;
        let section = |id, heading, content| Some(Section { id, heading, content });
        let differences = self.differences.map(differences);
        let way = report.way.as_ref().map(timeline::timeline);
        [
            differences.and_then(|content| section("recorded", "Otherwise than recorded", content)),
            section("results", "Results", results(report)),
            change::changes(report).and_then(|content| section("changes", "What changed", content)),
            section("findings", "Findings", findings(report)),
            way.and_then(|content| section("way", "The way of the message", content)),
            section("spf", "SPF", spf(report, self.trees)),
            section("dkim", "DKIM", signature::signatures(report)),
            section("arc", "ARC", chain::chain(report)),
            section("dmarc", "DMARC", policy::dmarc(report)),
            section("fields", "Header fields", fields(report)),
            section("dns", "DNS", questions(report.log)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// The beginning of a field's value, without its folds.
fn one_line(value: &[u8]) -> String {
    let value = value.trim_ascii();
    let start = octets(value.get(..MAX_FIELD).unwrap_or(value)).replace('\n', "");
    if value.len() > MAX_FIELD { format!("{start}[...]") } else { start }
}

fn results(report: &Report<'_>) -> Markup {
    let table = table(report);
    let rows = table.rows();
    // What DMARC came to stands last, and is not left out.
    let (last, others) = rows.split_last().map_or((None, rows), |(last, others)| (Some(last), others));
    let Bounded { items, more } = Bounded::of(others, MAX_ROWS, result);
    html! {
        table {
            thead { tr { th scope="col" { "Check" } th scope="col" { "Result and reason" } } }
            tbody {
                @for item in items { (item) }
                @if let Some(last) = last { (result(last)) }
            }
        }
        (more)
        @if let Some(older) = &report.verdict.dmarc_rfc7489 {
            h3 { "RFC 7489" }
            ul { @for line in compared(&report.verdict.dmarc, older) { li { (cut(&line)) } } }
        }
    }
}

fn result(row: &Row) -> Markup {
    html! {
        tr {
            th scope="row" { (row.check) @if row.domain != "-" { small { (cut(&row.domain)) } } }
            td { (word::keyword(row.result)) " " (cut(&row.reason)) }
        }
    }
}

fn spf(report: &Report<'_>, trees: &Observers<Tree>) -> Markup {
    let spf = &report.verdict.spf;
    html! {
        @if spf.helo.is_none() && spf.mail_from.is_none() { p { "SPF was not evaluated; the results say why." } }
        (tree::trees(spf, trees))
    }
}

fn fields(report: &Report<'_>) -> Markup {
    let fields = [report.evaluated.received_spf.as_deref(), Some(&*report.field_to_paste())]
        .map(|field| field.map(|field| field.split("\r\n").map(unfolded).collect::<Vec<_>>().join("\n")));
    html! {
        details {
            summary { "To paste" }
            // They have bounds of their own, and are of use whole.
            @for field in fields.into_iter().flatten() { pre { (field) } }
        }
    }
}

/// A line of a field, its folding shown as four spaces.
fn unfolded(line: &str) -> String {
    let content = line.trim_start_matches(['\t', ' ']);
    let fold = if content.len() < line.len() { "    " } else { "" };
    format!("{fold}{}", printable(content))
}

fn questions(log: &Log) -> Markup {
    let steps = question_steps(log);
    let (heading, lines) = steps.split_first().map_or((None, &[][..]), |(heading, lines)| (Some(heading), lines));
    let Bounded { items, more } =
        Bounded::of(lines, MAX_QUESTIONS, |line| html! { li { code { (cut(line.trim_start())) } } });
    html! {
        @match heading {
            None => p { "Nothing was asked." },
            Some(heading) => details {
                summary { (heading) ": " (lines.len()) }
                ul { @for item in items { (item) } }
                (more)
            },
        }
    }
}

fn findings(report: &Report<'_>) -> Markup {
    let none = "There is nothing to say of the records that were read, the message and the session.";
    finding::findings(&report.evaluated.findings, report.log, Some(report.message.header()), none)
}

/// What is otherwise than it was recorded.
fn differences(found: &[Difference]) -> Markup {
    let told = of_weight(found);
    let Bounded { items, more } = Bounded::of(&told, MAX_DIFFERENCES, |Difference { path, recorded, now }| {
        html! {
            li {
                code { (cut_word(&printable(path))) } ": "
                span.out { "was " } del { (cut(&printable(&recorded.to_string()))) }
                " " span.out { "is now " } ins { (cut(&printable(&now.to_string()))) }
            }
        }
    });
    html! {
        @if found.is_empty() {
            p { (RECORDED) }
        } @else if told.is_empty() {
            p { (IN_WORDS) }
        } @else {
            ul { @for item in items { (item) } }
            (more)
        }
    }
}
