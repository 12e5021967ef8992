//! DMARC records that are read otherwise than their author meant, or not at all, as they were meant.

use super::record::meant;
use crate::dmarc::{Record, Request, near_miss};

/// Octets of the texts of a name that are mended; whoever wrote more writes it again.
const MAX_OCTETS: usize = 2048;
/// Tags of a text.
const MAX_TAGS: usize = 32;
/// Tags that are written, in their order.
const ORDER: [&str; 11] = ["p", "sp", "np", "adkim", "aspf", "psd", "t", "pct", "fo", "rua", "ruf"];

/// The record that was meant by the texts of a name; `None` where nothing is wrong that could be mended, or where it is not known what
/// was meant: a policy is never chosen for its owner, but for `p=none`, which a record without `p` comes to.
pub(in crate::lint) fn mended(texts: &[Box<[u8]>]) -> Option<String> {
    let is_meant = |text: &&[u8]| Record::parse(text).is_ok() || near_miss(text).is_some();
    let texts: Vec<&[u8]> = texts.iter().map(|text| &**text).filter(is_meant).collect();
    if texts.iter().map(|text| text.len()).sum::<usize>() > MAX_OCTETS {
        return None;
    }
    let read: Option<Vec<Tags>> = texts.iter().map(|text| Tags::read(text)).collect();
    let mut read = read?.into_iter();
    let mut tags = read.next()?;
    for other in read {
        tags.merge(&other)?;
    }
    let record = tags.written();
    let is_whole = |record: &Record| record.ignored.is_empty() && matches!(record.policy, Request::Valid(_));
    Record::parse(record.as_bytes()).ok().filter(is_whole)?;
    let is_new = match texts.as_slice() {
        [one] => !is_same(one, &record),
        _ => true,
    };
    is_new.then_some(record)
}

/// Whether a text says the same with other blanks, and with a semicolon at its end.
fn is_same(text: &[u8], record: &str) -> bool {
    let bare = |text: &[u8]| {
        let text: Vec<u8> = text.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
        text.strip_suffix(b";").map(<[u8]>::to_vec).unwrap_or(text)
    };
    bare(text) == bare(record.as_bytes())
}

/// The tags of a text, as they were meant.
#[derive(Debug, Default)]
struct Tags(Vec<(&'static str, String)>);

impl Tags {
    fn read(text: &[u8]) -> Option<Self> {
        // Marks of editors and of master files, which no tag holds.
        let text = std::str::from_utf8(text).ok()?.replace(['\u{feff}', '\\'], "");
        let mut tags = Self::default();
        let mut parts = parts(&text);
        parts.truncate(MAX_TAGS);
        for part in parts {
            let Some((name, value)) = part.split_once('=') else { continue };
            let (name, value) = (bare(name), bare(value));
            let known = ORDER.into_iter().find(|tag| name.eq_ignore_ascii_case(tag));
            let Some(name) = known.or_else(|| meant(name.as_bytes())) else { continue };
            let Some(value) = meant_value(name, value)? else { continue };
            match tags.get(name) {
                None => tags.0.push((name, value)),
                Some(first) if *first == value => {}
                // Which of two policies was meant is not known; of other tags the first counts.
                Some(_) if matches!(name, "p" | "sp" | "np") => return None,
                Some(_) => {}
            }
        }
        Some(tags)
    }

    fn get(&self, name: &str) -> Option<&String> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Two records that ask for the same become one, with the destinations of both.
    fn merge(&mut self, other: &Self) -> Option<()> {
        let mut both = Vec::new();
        for name in ORDER {
            let value = match (self.get(name), other.get(name)) {
                (None, None) => continue,
                (Some(one), Some(two)) if one == two => one.clone(),
                (one, two) if matches!(name, "rua" | "ruf") => {
                    let all = one.into_iter().chain(two).flat_map(|list| list.split(','));
                    distinct(all.map(str::to_owned)).join(",")
                }
                (Some(_), Some(_)) => return None,
                // What one of them leaves to its default, the other states.
                (Some(_), None) | (None, Some(_)) if matches!(name, "p" | "sp" | "np") => return None,
                (Some(value), None) | (None, Some(value)) => value.clone(),
            };
            both.push((name, value));
        }
        self.0 = both;
        Some(())
    }

    fn written(&self) -> String {
        let mut record = "v=DMARC1; p=".to_owned();
        record.push_str(self.get("p").map_or("none", String::as_str));
        for name in ORDER.into_iter().skip(1) {
            if let Some(value) = self.get(name) {
                record.push_str(&format!("; {name}={value}"));
            }
        }
        record
    }
}

/// The tags, also where others than semicolons stand between them.
fn parts(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for part in text.split(';') {
        let mut rest = part;
        while let Some(at) = glued(rest) {
            let (one, more) = rest.split_at_checked(at).unwrap_or((rest, ""));
            parts.push(one.to_owned());
            rest = more;
        }
        parts.push(rest.to_owned());
    }
    parts
}

/// Where another tag begins behind the first in a part: a known name and `=`, with a blank, a comma or a colon before them.
fn glued(part: &str) -> Option<usize> {
    let is_between = |octet: &u8| octet.is_ascii_whitespace() || b",:".contains(octet);
    let octets = part.as_bytes();
    let mut has_value = false;
    for (at, octet) in octets.iter().enumerate() {
        has_value |= *octet == b'=';
        if !has_value || !is_between(octet) {
            continue;
        }
        let rest = part.get(at + 1..)?.trim_start();
        let (name, _) = rest.split_once('=').unwrap_or((rest, ""));
        let is_tag = ORDER.into_iter().any(|tag| name.trim_end().eq_ignore_ascii_case(tag));
        if is_tag && rest.len() > name.len() {
            return Some(part.len() - rest.len());
        }
    }
    None
}

/// Without marks around it.
fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || "\"'`,:\u{201c}\u{201d}".contains(c))
}

/// The value that was meant; `Some(None)` where the tag means nothing and is left out, `None` where nobody knows what was meant.
fn meant_value(name: &str, value: &str) -> Option<Option<String>> {
    let lower = value.to_ascii_lowercase();
    let one_of = |values: &[&str]| values.contains(&&*lower).then(|| lower.clone());
    Some(match name {
        // A policy that cannot be read is its owner's to write.
        "p" | "sp" | "np" => Some(policy(&lower)?.to_owned()),
        "adkim" | "aspf" => one_of(&["r", "s"]),
        "psd" => one_of(&["y", "n", "u"]),
        "t" => one_of(&["y", "n"]),
        "pct" => lower.parse::<u8>().ok().filter(|percent| *percent <= 100).map(|percent| percent.to_string()),
        "fo" => {
            let letters = distinct(lower.split([':', ',']).map(str::trim).map(str::to_owned));
            let known: Vec<String> =
                letters.into_iter().filter(|letter| ["0", "1", "d", "s"].contains(&&**letter)).collect();
            (!known.is_empty()).then(|| known.join(":"))
        }
        "rua" | "ruf" => {
            let uris = distinct(value.split([',', ' ']).filter_map(destination));
            (!uris.is_empty()).then(|| uris.join(","))
        }
        _ => None,
    })
}

fn policy(value: &str) -> Option<&'static str> {
    match value {
        "none" | "non" | "nome" => Some("none"),
        "quarantine" | "quarentine" | "quarintine" | "quarantaine" | "quaratine" | "quarantined" => Some("quarantine"),
        "reject" | "rejected" | "rejct" | "reject." => Some("reject"),
        _ => None,
    }
}

/// A place for reports: a mailbox, which all who report serve.
fn destination(text: &str) -> Option<String> {
    let text = bare(text).trim_matches(['<', '>']);
    let scheme = text.get(..7).filter(|start| start.eq_ignore_ascii_case("mailto:"));
    let address = if scheme.is_some() { text.get(7..)?.trim_start_matches('/') } else { text };
    // The size that old receivers knew.
    let address = address.split('!').next()?.trim();
    let (local_part, domain) = address.rsplit_once('@')?;
    let is_plain = !local_part.is_empty() && !domain.is_empty() && !local_part.contains([':', '@', '/']);
    is_plain.then(|| format!("mailto:{address}"))
}

/// Each once, whatever the case of its letters.
fn distinct(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut each: Vec<String> = Vec::new();
    for one in all {
        if !one.is_empty() && !each.iter().any(|known| known.eq_ignore_ascii_case(&one)) {
            each.push(one);
        }
    }
    each
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Option<String> {
        let texts: Vec<Box<[u8]>> = texts.iter().map(|text| text.as_bytes().into()).collect();
        mended(&texts)
    }

    #[test]
    fn records_are_mended_where_it_is_known_what_was_meant() {
        for (text, expected) in [
            ("v=DMARC1; p=none; rua=mailto:d@a.example", None),
            ("v=DMARC1;p=reject;", None),
            ("hello", None),
            ("v=dmarc1; p=none", Some("v=DMARC1; p=none")),
            ("v=DMARC1 p=reject", Some("v=DMARC1; p=reject")),
            ("v=DMARC1, p=reject, rua=mailto:d@a.example", Some("v=DMARC1; p=reject; rua=mailto:d@a.example")),
            ("p=reject; v=DMARC1; sp=none", Some("v=DMARC1; p=reject; sp=none")),
            ("\"v=DMARC1; p=reject\"", Some("v=DMARC1; p=reject")),
            ("\u{feff}v=DMARC1; p=reject", Some("v=DMARC1; p=reject")),
            ("v=DMARC1\\; p=reject\\;", Some("v=DMARC1; p=reject")),
            ("v=DMARC1; rua=mailto:d@a.example", Some("v=DMARC1; p=none; rua=mailto:d@a.example")),
            ("v=DMARC1; p=Quarentine", Some("v=DMARC1; p=quarantine")),
            ("v=DMARC1; p=block", None),
            ("v=DMARC1; p=reject; p=none", None),
            ("v=DMARC1; p=reject; p=reject", Some("v=DMARC1; p=reject")),
            ("v=DMARC1; p=reject; adkim=x; aspf=S", Some("v=DMARC1; p=reject; aspf=s")),
            ("v=DMARC1; policy=reject", Some("v=DMARC1; p=reject")),
            ("v=DMARC1; p=reject; rua=d@a.example", Some("v=DMARC1; p=reject; rua=mailto:d@a.example")),
            (
                "v=DMARC1; p=reject; rua=mailto://d@a.example, MAILTO:D@a.example!10m https://x.example",
                Some("v=DMARC1; p=reject; rua=mailto:d@a.example"),
            ),
            ("v=DMARC1; p=reject; fo=1:x; ri=3600; rf=afrf; x=y", Some("v=DMARC1; p=reject; fo=1")),
            ("v=DMARC1; p=reject; pct=101; pct=50", Some("v=DMARC1; p=reject; pct=50")),
        ] {
            assert_eq!(of(&[text]).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn records_that_ask_for_the_same_become_one() {
        for (texts, expected) in [
            (
                &[
                    "v=DMARC1; p=reject; rua=mailto:a@a.example",
                    "v=spf1 -all",
                    "v=DMARC1; p=reject; rua=mailto:b@a.example",
                ][..],
                Some("v=DMARC1; p=reject; rua=mailto:a@a.example,mailto:b@a.example"),
            ),
            (&["v=DMARC1; p=reject", "v=DMARC1; p=reject; aspf=s"], Some("v=DMARC1; p=reject; aspf=s")),
            (&["v=DMARC1; p=reject", "v=DMARC1; p=none"], None),
            (&["v=DMARC1; p=reject", "v=DMARC1; p=reject; sp=none"], None),
        ] {
            assert_eq!(of(texts).as_deref(), expected, "{texts:?}");
        }
    }
}
