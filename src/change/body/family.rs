//! Families of bodies that may have been signed: what is likely first, and each within its part of the work.

use super::{
    conversion::{self, Converted},
    edit::Edit,
    repair::{Break, REPAIRS, Repair, break_lengths, joined},
    search::{Search, Target},
    url,
    window::{self, Windows},
};
use crate::{
    dkim::{Algorithm, ChangeKind, trial::BodyTrial},
    mime::{Encoding, Structure},
};

/// Lines at the end of a body that may have been appended.
const MAX_APPENDED: usize = 50_000;
/// Lines that are taken away within a body at most, wherever they stand.
const MAX_ANYWHERE: usize = 400;
/// Stretches of each of two parts that are taken away together.
const OF_TWO: usize = 160;
/// Stretches that are tried in a body that was repaired or converted.
const OF_OTHERS: usize = 400;
/// Single lines that are repaired alone.
const MAX_SINGLE: usize = 64;

/// Something that may have been done to the whole of a body.
enum Way {
    Repair(&'static Repair),
    Break { length: usize, by: Break },
    Links,
}

impl Search {
    /// `raw` is the body as it came, `body` the same with CRLF line ends.
    pub(super) fn run(&mut self, raw: &[u8], body: &[u8], structure: &Structure) {
        let base = if raw == body { Vec::new() } else { vec![bare_line_feeds()] };
        self.within(2, |search| search.unaltered(body, &base));
        self.within(2, |search| search.appended(body, &base));
        self.within(2, |search| search.repaired(body, &base));
        self.within(2, |search| search.signers(raw, body, &base));
        self.within(3, |search| search.usual(body, structure, &base));
        self.within(3, |search| search.prepended(body, &base));
        self.within(3, |search| search.converted(body, structure, &base));
        self.within(3, |search| search.two(body, structure, &base));
        self.within(3, |search| search.within_encoded(body, structure, &base));
        self.within(2, |search| search.appended_to_others(body, structure, &base));
        self.within(1, |search| search.anywhere(body, &base));
    }

    /// Its line ends alone are others, or it was not there.
    fn unaltered(&mut self, body: &[u8], base: &[Edit]) {
        if !base.is_empty() {
            self.whole(body, || base.to_vec());
        }
        self.whole(b"", || vec![Edit::new(ChangeKind::BodyEmpty, "an empty body was signed, and the message has one")]);
    }

    /// What was signed in another way than by the rules; tried late, because changes on the way may come to the same.
    fn signers(&mut self, raw: &[u8], body: &[u8], base: &[Edit]) {
        let Target { canonicalization, hash, length, .. } = self.target;
        let other = match canonicalization {
            Algorithm::Simple => Algorithm::Relaxed,
            Algorithm::Relaxed => Algorithm::Simple,
        };
        for text in [body, raw].iter().take(if base.is_empty() { 1 } else { 2 }) {
            if self.work.pay(text.len()) {
                let mut trial = BodyTrial::new(other, hash, length);
                trial.update(text);
                let says =
                    format!("with the body canonicalization \"{other}\" bh= fits, but c= says \"{canonicalization}\"");
                let digest = trial.finish();
                self.test(digest, || vec![Edit::new(ChangeKind::CanonicalizationNamedWrongly, says.clone())]);
            }
        }
        if length.is_some() || self.is_over() {
            return;
        }
        let mut canonical = Vec::with_capacity(body.len());
        canonicalization.canonicalize_body(body, |text| canonical.extend_from_slice(text));
        let without_end = canonical.strip_suffix(b"\r\n").unwrap_or(&canonical);
        let forms: [(&[&[u8]], &str); 5] = [
            (&[without_end], "it hashed the body without its last line end"),
            (&[&canonical, b"\r\n"], "it hashed one line end too many at the end of the body"),
            (&[body], "it hashed the body without canonicalizing it"),
            (&[b"\r\n"], "it hashed a line end for an empty body, as only \"simple\" has it"),
            (&[b"\r\n", &canonical], "it hashed the empty line before the body as well"),
        ];
        for (pieces, what) in forms {
            self.plain(pieces, what);
        }
        if self.work.pay(2 * canonical.len()) {
            let lines: Vec<u8> = unix(&canonical);
            self.plain(&[&lines], "it hashed the body with bare LF line ends");
            self.plain(
                &[lines.strip_suffix(b"\n").unwrap_or(&lines)],
                "it hashed the body with bare LF line ends, and none at its end",
            );
        }
    }

    /// Lines at the end, from the last one up.
    fn appended(&mut self, body: &[u8], base: &[Edit]) {
        let Some(windows) = Windows::new(body, self.fresh(), &mut self.work) else { return };
        let starts = window::starts(body);
        let ranges =
            starts.iter().rev().skip(1).take(MAX_APPENDED).filter(|start| **start > 0).map(|start| *start..body.len());
        self.windows(&windows, ranges, base, true);
    }

    /// Each repair of the whole body, and of single lines.
    fn repaired(&mut self, body: &[u8], base: &[Edit]) {
        for way in self.ways(body) {
            let Some((edit, body)) = self.undone(&way, body) else { continue };
            self.whole(&body, || [base, std::slice::from_ref(&edit)].concat());
            if self.is_over() {
                return;
            }
        }
        self.single_lines(body, base);
    }

    /// All that may have been done to the whole of the body.
    fn ways(&mut self, body: &[u8]) -> Vec<Way> {
        let is_simple = self.target.canonicalization == Algorithm::Simple;
        let repairs = REPAIRS.iter().filter(|repair| is_simple || !repair.is_of_white_space);
        let mut ways: Vec<Way> = repairs.map(Way::Repair).collect();
        if self.work.pay(body.len()) {
            for length in break_lengths(body) {
                ways.extend([Break::Plain, Break::Blank, Break::Exclamation].map(|by| Way::Break { length, by }));
            }
        }
        ways.push(Way::Links);
        ways
    }

    /// The body before that; `None` where it would be the same, or to make it is too much.
    fn undone(&mut self, way: &Way, body: &[u8]) -> Option<(Edit, Vec<u8>)> {
        // To write a body anew line by line costs as much as to hash it several times.
        if !self.work.pay(3 * body.len()) {
            return None;
        }
        Some(match way {
            Way::Repair(repair) => (Edit::new(repair.kind, repair.says), (repair.undo)(body)?),
            Way::Break { length, by } => {
                let says = format!("lines longer than {length} octets were broken");
                (Edit::new(ChangeKind::LongLineWrapped, says), joined(body, *length, *by)?)
            }
            Way::Links => {
                let says = "links in the body were made to lead by way of a filter";
                (Edit::new(ChangeKind::UrlsRewritten, says), url::restored(body)?)
            }
        })
    }

    /// `>` and dots of single lines, where others were there before.
    fn single_lines(&mut self, body: &[u8], base: &[Edit]) {
        let Some(windows) = Windows::new(body, self.fresh(), &mut self.work) else { return };
        let starts = window::starts(body);
        let stuffed = starts.iter().filter(|start| {
            let line = body.get(**start..).unwrap_or_default();
            line.starts_with(b">From ") || line.starts_with(b"..") || line.starts_with(b">>From ")
        });
        for start in stuffed.take(MAX_SINGLE) {
            let range = *start..start + 1;
            let Some(digest) = windows.without(std::slice::from_ref(&range), &mut self.work) else { return };
            let (kind, says) = if body.get(*start) == Some(&b'>') {
                (ChangeKind::FromStuffing, "a > was put before a line that begins with \"From \"")
            } else {
                (ChangeKind::DotStuffing, "the dot at the start of a line was doubled")
            };
            self.test(digest, || [base, &[Edit { removed: Some(range.clone()), ..Edit::new(kind, says) }]].concat());
        }
        // One that was lost, at any line.
        for start in starts.iter().take(2000) {
            if self.is_over() {
                return;
            }
            let Some(rest) = body.get(*start..) else { return };
            if !self.work.pay(windows.cost_before(*start) + rest.len()) {
                return;
            }
            let Some(mut trial) = windows.before(*start) else { return };
            trial.update(b".");
            trial.update(rest);
            let digest = trial.finish();
            self.test(digest, || {
                [base, &[Edit::new(ChangeKind::DotStuffing, "the dot at the start of a line was lost")]].concat()
            });
        }
    }

    /// At the ends of parts, around them, and at the usual places of HTML.
    fn usual(&mut self, body: &[u8], structure: &Structure, base: &[Edit]) {
        // A multipart was put around the body.
        for part in structure.parts.iter().skip(1) {
            let says = "a multipart was put around the body, of which it is a part now";
            let content = body.get(part.content.clone()).unwrap_or_default();
            self.whole(content, || [base, &[Edit::new(ChangeKind::BodyPartAdded, says)]].concat());
            if part.is_message
                && let Some(at) = memchr::memmem::find(content, b"\r\n\r\n")
            {
                let inner = content.get(at + 4..).unwrap_or_default();
                let says = "the message was put into another one, as a part of type message/rfc822";
                self.whole(inner, || [base, &[Edit::new(ChangeKind::BodyPartAdded, says)]].concat());
            }
        }
        let Some(windows) = Windows::new(body, self.fresh(), &mut self.work) else { return };
        self.windows(&windows, window::usual(body, structure), base, true);
    }

    fn prepended(&mut self, body: &[u8], base: &[Edit]) {
        let Some(windows) = Windows::new(body, self.fresh(), &mut self.work) else { return };
        let starts = window::starts(body);
        self.windows(&windows, starts.iter().skip(1).map(|start| 0..*start), base, true);
    }

    fn converted(&mut self, body: &[u8], structure: &Structure, base: &[Edit]) {
        // Each part is written anew in many ways before the first of them is hashed.
        if !self.work.pay(8 * body.len()) {
            return;
        }
        for converted in conversion::each(body, structure) {
            if self.is_over() {
                return;
            }
            let former = conversion::put_in(body, &converted);
            self.whole(&former, || [base, &[conversion_edit(&converted)]].concat());
        }
    }

    /// The same text was put into two parts, as into the plain text and the HTML of one message.
    fn two(&mut self, body: &[u8], structure: &Structure, base: &[Edit]) {
        let Some(windows) = Windows::new(body, self.fresh(), &mut self.work) else { return };
        let parts: Vec<_> = structure.leaves().filter(|part| part.is_text).take(6).collect();
        let stretches = |part| {
            let mut ranges = window::of_part(body, part);
            // Short ones first: banners and footers are.
            ranges.sort_by_key(ExactSizeIterator::len);
            ranges.truncate(OF_TWO);
            ranges
        };
        for (place, first) in parts.iter().enumerate() {
            for second in parts.iter().skip(place + 1) {
                let of_second = stretches(second);
                for one in stretches(first) {
                    for two in &of_second {
                        if self.is_over() {
                            return;
                        }
                        let both = [one.clone(), two.clone()];
                        let Some(digest) = windows.without(&both, &mut self.work) else { return };
                        self.test(digest, || {
                            let edits = both.each_ref().map(|range| Edit::added(body, range, true));
                            [base, &edits].concat()
                        });
                    }
                }
            }
        }
    }

    /// Text was put into a part that is encoded, and it was encoded anew.
    fn within_encoded(&mut self, body: &[u8], structure: &Structure, base: &[Edit]) {
        let Some(windows) = Windows::new(body, self.fresh(), &mut self.work) else { return };
        let plain = Encoding::Plain;
        for part in structure.leaves().filter(|part| part.is_text && part.encoding != plain).take(6) {
            let content = body.get(part.content.clone()).unwrap_or_default();
            let Some(octets) = conversion::decoded(content, part.encoding) else { continue };
            let cost = windows.cost_before(part.header.start);
            let Some(before) = windows.before(part.header.start) else { return };
            let Some(after) = body.get(part.content.end..) else { return };
            for range in window::of_content(&octets, part.is_html) {
                if self.is_over() || !self.work.pay(4 * octets.len()) {
                    return;
                }
                let (Some(head), Some(tail)) = (octets.get(..range.start), octets.get(range.end..)) else { continue };
                for converted in conversion::of_part(body, part, &[head, tail].concat(), false) {
                    if self.is_over() || !self.work.pay(cost + 2 * converted.text.len() + after.len()) {
                        return;
                    }
                    let mut trial = before.clone();
                    trial.update(&converted.text);
                    trial.update(after);
                    let digest = trial.finish();
                    self.test(digest, || {
                        let mut edits = base.to_vec();
                        edits.push(Edit::added(&octets, &range, false));
                        if converted.former != conversion::name(part.encoding) {
                            edits.push(conversion_edit(std::slice::from_ref(&converted)));
                        }
                        edits
                    });
                }
            }
        }
    }

    /// Text was added, and the whole was repaired or converted as well.
    fn appended_to_others(&mut self, body: &[u8], structure: &Structure, base: &[Edit]) {
        for way in self.ways(body) {
            let Some((edit, other)) = self.undone(&way, body) else { continue };
            self.stretches_of(&other, &[base, &[edit]].concat());
        }
        if !self.work.pay(8 * body.len()) {
            return;
        }
        for converted in conversion::each(body, structure) {
            if self.is_over() {
                return;
            }
            let base = [base, &[conversion_edit(&converted)]].concat();
            let former = conversion::put_in(body, &converted);
            self.stretches_of(&former, &base);
        }
    }

    /// Stretches at both ends of another body.
    fn stretches_of(&mut self, other: &[u8], base: &[Edit]) {
        if self.is_over() {
            return;
        }
        let Some(windows) = Windows::new(other, self.fresh(), &mut self.work) else { return };
        let is_html = memchr::memmem::find(other, b"<html").is_some();
        let ranges = window::of_content(other, is_html).into_iter().take(OF_OTHERS);
        self.windows(&windows, ranges, base, false);
    }

    /// Lines anywhere: one, then two together, and so on.
    fn anywhere(&mut self, body: &[u8], base: &[Edit]) {
        let Some(windows) = Windows::new(body, self.fresh(), &mut self.work) else { return };
        let starts = window::starts(body);
        for count in 1..=MAX_ANYWHERE.min(starts.len()) {
            let ranges = starts.iter().zip(starts.iter().skip(count)).map(|(from, to)| *from..*to);
            self.windows(&windows, ranges, base, true);
            if self.is_over() {
                return;
            }
        }
    }
}

fn bare_line_feeds() -> Edit {
    Edit::new(ChangeKind::LineEnds, "the body has bare LF line ends, and had CRLF when it was signed")
}

fn conversion_edit(converted: &[Converted]) -> Edit {
    let former = converted.first().map_or("", |one| one.former);
    let what = if converted.len() > 1 { "the parts of the body were" } else { "the body, or a part of it, was" };
    Edit::new(
        ChangeKind::TransferEncoding,
        format!("{what} converted after signing, and had the encoding {former} then"),
    )
}

fn unix(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|octet| *octet == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => {
                out.extend_from_slice(line);
                out.push(b'\n');
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}
