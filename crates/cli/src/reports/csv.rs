//! The rows of aggregate reports as CSV (RFC 4180), which no program for tables takes for formulas.

use crate::escape::is_active;
use mailverdict::report::{Aggregate, Row};
use std::fmt::Display;

/// The names of the columns.
pub(super) const NAMES: &str = "file,org_name,report_id,begin,end,domain,p,source_ip,count,disposition,dkim,spf,header_from,\
    envelope_from,envelope_to,reasons,dkim_results,spf_results";

/// One row, with its line end.
pub(super) fn line(file: &str, about: &Aggregate, row: &Row) -> String {
    let text = |value: &Option<Box<str>>| value.as_deref().unwrap_or_default().to_owned();
    let list = |items: Vec<String>| items.join(" ");
    let reasons = row.reasons.iter().map(|reason| shown(reason.kind));
    let dkim = row
        .dkim_results
        .iter()
        .map(|dkim| format!("{}/{}={}", text(&dkim.domain), text(&dkim.selector), shown(dkim.result)));
    let spf = row.spf_results.iter().map(|spf| format!("{}={}", text(&spf.domain), shown(spf.result)));
    let columns = [
        file.to_owned(),
        text(&about.org_name),
        text(&about.report_id),
        shown(about.begin.map(|time| time.0)),
        shown(about.end.map(|time| time.0)),
        text(&about.domain),
        shown(about.policy.p.map(|policy| policy.keyword())),
        shown(row.source_ip),
        row.count.to_string(),
        shown(row.disposition),
        shown(row.dkim),
        shown(row.spf),
        text(&row.header_from),
        text(&row.envelope_from),
        text(&row.envelope_to),
        list(reasons.collect()),
        list(dkim.collect()),
        list(spf.collect()),
    ];
    let columns: Vec<String> = columns.iter().map(|text| column(text)).collect();
    columns.join(",") + "\r\n"
}

fn shown(value: Option<impl Display>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A text in its column: on one line, quoted where it has to be, and with an apostrophe before what a program for tables would compute.
fn column(text: &str) -> String {
    let text: String = text.chars().map(|c| if is_active(c) { ' ' } else { c }).collect();
    let is_formula =
        text.trim_start().starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    let text = if is_formula { format!("'{text}") } else { text };
    if text.contains([',', '"', ' ', '\'', ';']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_a_formula_or_another_column() {
        for (text, expected) in [
            ("contoso.com", "contoso.com"),
            ("a,b", "\"a,b\""),
            ("a\"b", "\"a\"\"b\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            (" +1", "\"' +1\""),
            ("-1", "\"'-1\""),
            ("@a", "\"'@a\""),
            ("\t=1", "\"' =1\""),
            ("a\r\n=1", "\"a  =1\""),
            ("\u{ff1d}1", "\"'\u{ff1d}1\""),
            ("a\u{1b}[2J", "\"a [2J\""),
        ] {
            assert_eq!(column(text), expected, "{text:?}");
        }
    }
}
