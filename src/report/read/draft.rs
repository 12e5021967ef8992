//! What was read of a report so far: texts become what they say, and departures findings.

use super::{
    super::{
        aggregate::Aggregate,
        deviation::{Findings, quoted},
        row::{DkimRow, Extension, Reason, Row, SpfRow},
        words::Word,
    },
    place::{Leaf, Place},
};
use crate::time::UnixTime;
use std::net::IpAddr;

/// Characters that are kept of the text of an extension.
const MAX_EXTENSION: usize = 1000;
/// Extensions that are kept of a record, or of a report outside its records.
const MAX_EXTENSIONS: usize = 100;
/// Results of one record that are kept, of each kind; RFC 9990 §3.1.4 wants no more signatures.
const MAX_RESULTS: usize = 100;

/// Elements that say nothing where they are empty; others have to say something.
const MAY_BE_EMPTY: [&str; 4] = ["comment", "human_result", "extra_contact_info", "generator"];

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) head: Aggregate,
    /// The row that is being read.
    pub(super) row: Row,
    pub(super) findings: Findings,
    /// Whether an element of the row was seen already.
    seen_count: bool,
    /// Elements that only RFC 9990 has, and that only RFC 7489 has.
    pub(super) of_rfc9990: Option<&'static str>,
    pub(super) of_rfc7489: Option<&'static str>,
}

impl Draft {
    /// An element begins.
    pub(super) fn begin(&mut self, place: Place, line: u64) {
        match place {
            Place::Record => {
                self.row = Row::default();
                self.seen_count = false;
            }
            Place::Reason => self.one_more("reason", line, |row| push(&mut row.reasons, Reason::default())),
            Place::Dkim => self.one_more("dkim", line, |row| push(&mut row.dkim_results, DkimRow::default())),
            Place::Spf => self.one_more("spf", line, |row| push(&mut row.spf_results, SpfRow::default())),
            Place::Outside
            | Place::Feedback
            | Place::Metadata
            | Place::DateRange
            | Place::Policy
            | Place::Row
            | Place::Evaluated
            | Place::Identifiers
            | Place::AuthResults
            | Place::Extension
            | Place::Unknown
            | Place::Leaf(_) => {}
        }
    }

    fn one_more(&mut self, name: &'static str, line: u64, push: impl FnOnce(&mut Row) -> bool) {
        if !push(&mut self.row) {
            let says =
                format!("more than {MAX_RESULTS} elements \"{name}\" stand in one record; the others are left out");
            self.findings.add("report-element-repeated", Some(line), says);
        }
    }

    /// A record ends.
    pub(super) fn end_row(&mut self, line: u64) -> Row {
        let mut row = std::mem::take(&mut self.row);
        row.reasons.retain(|reason| *reason != Reason::default());
        if !self.seen_count {
            self.missing("count", "the row", line);
        }
        if row.source_ip.is_none() {
            self.missing("source_ip", "the row", line);
        }
        if row.header_from.is_none() {
            self.missing("header_from", "the record", line);
        }
        row
    }

    /// Told once for an element that was there and could not be read.
    pub(super) fn missing(&mut self, name: &str, of: &str, line: u64) {
        let says = format!("{of} has no \"{name}\", or none that can be read");
        self.findings.add("report-element-missing", Some(line), says);
    }

    /// An element with this text ends.
    pub(super) fn leaf(&mut self, leaf: Leaf, name: &'static str, text: &str, line: u64) {
        let Self { head, row, findings, .. } = self;
        let mut at = At { name, line, findings };
        if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
            at.add(
                "report-text-control",
                format!("the text {} has control characters, which XML does not have", quoted(text)),
            );
        }
        let policy = &mut head.policy;
        match leaf {
            Leaf::Version => at.text(&mut head.version, text),
            Leaf::OrgName => at.text(&mut head.org_name, text),
            Leaf::Email => at.text(&mut head.email, text),
            Leaf::ExtraContactInfo => at.text(&mut head.extra_contact_info, text),
            Leaf::ReportId => at.text(&mut head.report_id, text),
            Leaf::Error => {
                if !text.is_empty() && head.errors.len() < MAX_RESULTS {
                    head.errors.push(text.into());
                }
            }
            Leaf::Generator => {
                self.of_rfc9990.get_or_insert(name);
                at.text(&mut head.generator, text);
            }
            Leaf::Begin => at.time(&mut head.begin, text),
            Leaf::End => at.time(&mut head.end, text),
            Leaf::PolicyDomain => at.text(&mut head.domain, text),
            Leaf::P => at.word(&mut policy.p, text),
            Leaf::Sp => at.word(&mut policy.sp, text),
            Leaf::Np => at.word(&mut policy.np, text),
            Leaf::Adkim => at.word(&mut policy.adkim, text),
            Leaf::Aspf => at.word(&mut policy.aspf, text),
            Leaf::Fo => at.text(&mut policy.fo, text),
            Leaf::Testing => {
                self.of_rfc9990.get_or_insert(name);
                at.word(&mut policy.testing, text);
            }
            Leaf::DiscoveryMethod => {
                self.of_rfc9990.get_or_insert(name);
                at.word(&mut policy.discovery_method, text);
            }
            Leaf::Pct => {
                self.of_rfc7489.get_or_insert(name);
                at.percent(&mut policy.pct, text);
            }
            Leaf::VersionPublished => {}
            Leaf::SourceIp => at.address(&mut row.source_ip, text),
            Leaf::Count => {
                if std::mem::replace(&mut self.seen_count, true) {
                    at.repeated(text);
                } else {
                    row.count = at.number(text).unwrap_or(0);
                }
            }
            Leaf::Disposition => at.word(&mut row.disposition, text),
            Leaf::AlignedDkim => at.word(&mut row.dkim, text),
            Leaf::AlignedSpf => at.word(&mut row.spf, text),
            Leaf::ReasonType => at.last(&mut row.reasons, |at, reason| at.word(&mut reason.kind, text)),
            Leaf::ReasonComment => at.last(&mut row.reasons, |at, reason| at.text(&mut reason.comment, text)),
            Leaf::HeaderFrom => at.text(&mut row.header_from, text),
            Leaf::EnvelopeFrom => {
                // RFC 9990 §3.1.1.11: empty is the null reverse-path.
                if row.envelope_from.is_some() {
                    at.repeated(text);
                } else {
                    row.envelope_from = Some(text.into());
                }
            }
            Leaf::EnvelopeTo => at.text(&mut row.envelope_to, text),
            Leaf::DkimDomain => at.last(&mut row.dkim_results, |at, dkim| at.text(&mut dkim.domain, text)),
            Leaf::DkimSelector => at.last(&mut row.dkim_results, |at, dkim| at.text(&mut dkim.selector, text)),
            Leaf::DkimResult => at.last(&mut row.dkim_results, |at, dkim| at.word(&mut dkim.result, text)),
            Leaf::DkimHuman => at.last(&mut row.dkim_results, |at, dkim| at.text(&mut dkim.human_result, text)),
            Leaf::SpfDomain => at.last(&mut row.spf_results, |at, spf| at.text(&mut spf.domain, text)),
            Leaf::SpfScope => at.last(&mut row.spf_results, |at, spf| at.word(&mut spf.scope, text)),
            Leaf::SpfResult => at.last(&mut row.spf_results, |at, spf| at.word(&mut spf.result, text)),
            Leaf::SpfHuman => at.last(&mut row.spf_results, |at, spf| at.text(&mut spf.human_result, text)),
        }
    }

    /// An element that no schema has, with the names of those around it.
    pub(super) fn extension(&mut self, name: &str, text: &str, is_in_record: bool) {
        let kept = if is_in_record { &mut self.row.extensions } else { &mut self.head.extensions };
        if kept.len() < MAX_EXTENSIONS {
            let end = text.char_indices().nth(MAX_EXTENSION).map_or(text.len(), |(at, _)| at);
            kept.push(Extension { name: name.into(), text: text.get(..end).unwrap_or_default().into() });
        }
    }
}

/// Whether there was room.
fn push<T>(list: &mut Vec<T>, item: T) -> bool {
    let has_room = list.len() < MAX_RESULTS;
    if has_room {
        list.push(item);
    }
    has_room
}

/// An element, where it stands.
struct At<'d> {
    name: &'static str,
    line: u64,
    findings: &'d mut Findings,
}

impl At<'_> {
    fn add(&mut self, id: &'static str, says: String) {
        self.findings.add(id, Some(self.line), says);
    }

    /// The first counts.
    fn repeated(&mut self, text: &str) {
        let says = format!("\"{}\" stands there again, with {}; the first counts", self.name, quoted(text));
        self.add("report-element-repeated", says);
    }

    fn once<T>(&mut self, slot: &mut Option<T>, text: &str, read: impl FnOnce(&mut Self) -> Option<T>) {
        if slot.is_some() {
            self.repeated(text);
        } else if !text.is_empty() {
            *slot = read(self);
        } else if !MAY_BE_EMPTY.contains(&self.name) {
            self.add("report-element-empty", format!("the element \"{}\" is empty", self.name));
        }
    }

    /// An empty text is none.
    fn text(&mut self, slot: &mut Option<Box<str>>, text: &str) {
        self.once(slot, text, |_| Some(text.into()));
    }

    /// What belongs to the last of a list.
    fn last<T>(&mut self, list: &mut [T], set: impl FnOnce(&mut Self, &mut T)) {
        if let Some(last) = list.last_mut() {
            set(self, last);
        }
    }

    fn word<W: Word>(&mut self, slot: &mut Option<W>, text: &str) {
        self.once(slot, text, |at| at.one_of(text));
    }

    fn one_of<W: Word>(&mut self, text: &str) -> Option<W> {
        if let Some((_, word)) = W::WORDS.iter().find(|(word, _)| *word == text) {
            return Some(*word);
        }
        let same = |(word, _): &&(&str, W)| word.eq_ignore_ascii_case(text);
        if let Some((word, meant)) = W::WORDS.iter().find(same) {
            let says = format!("{} stands in \"{}\", where the word is written {word}", quoted(text), self.name);
            self.add("report-word-capitals", says);
            return Some(*meant);
        }
        if let Some((other, meant)) = W::OTHERS.iter().find(same) {
            let word = W::WORDS.iter().find(|(_, word)| word == meant);
            let word = word.map_or(*other, |(word, _)| *word);
            let says = format!("{} stands in \"{}\", and is taken for {word}", quoted(text), self.name);
            self.add("report-word-other", says);
            return Some(*meant);
        }
        let says = format!("{} in \"{}\" is no word of the format", quoted(text), self.name);
        self.add("report-word-unknown", says);
        None
    }

    /// A whole number; a fraction is left away.
    fn number(&mut self, text: &str) -> Option<u64> {
        let is_number = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let number: Option<u64> = whole.parse().ok().filter(|_| is_number(whole) && is_number(fraction));
        if number.is_some() && whole.len() == text.len() {
            return number;
        }
        let says = match number {
            Some(number) => format!("{} stands in \"{}\", and is taken for {number}", quoted(text), self.name),
            None => format!("{} in \"{}\" is no number", quoted(text), self.name),
        };
        self.add("report-number", says);
        number
    }

    fn percent(&mut self, slot: &mut Option<u8>, text: &str) {
        self.once(slot, text, |at| {
            let number = at.number(text)?;
            let percent = u8::try_from(number).ok().filter(|percent| *percent <= 100);
            if percent.is_none() {
                at.add("report-number", format!("{} in \"{}\" is no percentage", quoted(text), at.name));
            }
            percent
        });
    }

    /// Seconds since 1970; some write dates.
    fn time(&mut self, slot: &mut Option<UnixTime>, text: &str) {
        self.once(slot, text, |at| match text.parse::<UnixTime>() {
            Ok(time) => {
                let says = format!("{} stands in \"{}\", where seconds since 1970 belong", quoted(text), at.name);
                at.add("report-number", says);
                Some(time)
            }
            Err(_) => at.number(text).map(UnixTime),
        });
    }

    fn address(&mut self, slot: &mut Option<IpAddr>, text: &str) {
        self.once(slot, text, |at| {
            let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
            let ip = bare.parse().ok();
            if ip.is_none() || bare.len() != text.len() {
                at.add("report-address", format!("{} in \"{}\" is no address", quoted(text), at.name));
            }
            // RFC 7208 §5 has no other form of those of IPv4 either.
            ip.map(|ip: IpAddr| match ip {
                IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
                IpAddr::V4(_) => ip,
            })
        });
    }
}
