//! SPF records that cannot be evaluated, as their author meant them.

use crate::spf::{Directive, Fault, Mechanism, Mistake, Qualifier, Record, faults};

/// Octets of records that are mended; whoever wrote more writes it again.
const MAX_OCTETS: usize = 4096;

/// Times that a record is read again: a term may have more than one fault.
const MAX_PASSES: usize = 3;

/// The record that was meant by the texts of a name: several made one, or each term that cannot be read as it was meant. `None` where
/// there is nothing to mend, or where it is not known what was meant.
pub(super) fn mended(texts: Option<&[Box<[u8]>]>) -> Option<String> {
    let records: Vec<&[u8]> = texts?.iter().map(|text| &**text).filter(|text| Record::has_version(text)).collect();
    if records.iter().map(|text| text.len()).sum::<usize>() > MAX_OCTETS {
        return None;
    }
    let mended: Option<Vec<String>> = records.iter().map(|text| term_by_term(text)).collect();
    match mended?.as_slice() {
        [] => None,
        [one] => Some(one.clone()).filter(|one| Some(one.as_bytes()) != records.first().copied()),
        several => merged(several),
    }
}

/// With each term that cannot be read in the form that was meant.
fn term_by_term(text: &[u8]) -> Option<String> {
    let mut mended = std::str::from_utf8(text).ok()?.to_owned();
    for _ in 0..MAX_PASSES {
        // From behind, so that the places before stay what they are.
        for fault in faults(mended.as_bytes()).iter().rev() {
            let range = fault.span()?.range();
            let term = meant(fault, mended.get(range.clone())?)?;
            mended.replace_range(range, &term);
        }
        if Record::parse(mended.as_bytes()).is_ok() {
            return Some(mended);
        }
    }
    None
}

/// What was meant by a term; where it has signs around it and another fault, the term without the signs.
fn meant(fault: &Fault, term: &str) -> Option<String> {
    let is_sign = |sign: char| ",;\"'".contains(sign);
    let bare = || Some(term.trim_matches(is_sign)).filter(|bare| !bare.is_empty() && *bare != term);
    match fault.mistake {
        Mistake::Punctuation(_) => fault.meant.as_deref().or_else(bare).map(str::to_owned),
        _ => fault.meant.as_deref().map(str::to_owned),
    }
}

/// The terms of all, each once, and the end that refuses the least.
fn merged(texts: &[String]) -> Option<String> {
    let records: Vec<Record> = texts.iter().filter_map(|text| Record::parse(text.as_bytes()).ok()).collect();
    // A redirect goes on where a record ends, which happens once.
    if records.len() < texts.len() || records.iter().any(|record| record.redirect.is_some()) {
        return None;
    }
    let mut merged = Record::default();
    let mut end: Option<Qualifier> = None;
    for record in records {
        for directive in record.directives {
            if directive.mechanism == Mechanism::All {
                end = Some(end.map_or(directive.qualifier, |end| milder(end, directive.qualifier)));
                break;
            }
            if !merged.directives.contains(&directive) {
                merged.directives.push(directive);
            }
        }
        merged.exp = merged.exp.or(record.exp);
    }
    merged.directives.push(Directive::new(end.unwrap_or(Qualifier::SoftFail), Mechanism::All));
    Some(merged.to_string())
}

/// The one that refuses less, of those that let nobody pass.
fn milder(one: Qualifier, other: Qualifier) -> Qualifier {
    match (one, other) {
        (Qualifier::Fail, Qualifier::Fail) => Qualifier::Fail,
        _ => Qualifier::SoftFail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Option<String> {
        let texts: Vec<Box<[u8]>> = texts.iter().map(|text| text.as_bytes().into()).collect();
        mended(Some(&texts))
    }

    #[test]
    fn terms_are_mended_where_it_is_known_what_was_meant() {
        for (text, expected) in [
            ("v=spf1 ipv4:192.0.2.1, inlcude:a.example -all;", Some("v=spf1 ip4:192.0.2.1 include:a.example -all")),
            ("v=spf1 192.0.2.1 \u{2013}all", Some("v=spf1 ip4:192.0.2.1 -all")),
            ("v=spf1 ip4: -all", None),
            ("v=spf1 -all", None),
            ("hello", None),
        ] {
            assert_eq!(of(&[text]).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn several_records_become_one() {
        for (texts, expected) in [
            (&["v=spf1 mx -all", "v=spf1 mx ip4:192.0.2.1 ~all"][..], Some("v=spf1 mx ip4:192.0.2.1 ~all")),
            (&["v=spf1 mx -all", "v=spf1 a -all"], Some("v=spf1 mx a -all")),
            (&["v=spf1 mx", "other", "v=spf1 ipv4:192.0.2.1"], Some("v=spf1 mx ip4:192.0.2.1 ~all")),
            (&["v=spf1 mx +all", "v=spf1 a -all"], Some("v=spf1 mx a ~all")),
            (&["v=spf1 mx -all", "v=spf1 redirect=a.example"], None),
        ] {
            assert_eq!(of(texts).as_deref(), expected, "{texts:?}");
        }
    }
}
