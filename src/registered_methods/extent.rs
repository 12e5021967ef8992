//! How much of a verdict stands in its field, which mail servers keep no more than some thousand octets of.

#[cfg(test)]
mod tests;

use super::{Registered, written};
use crate::{
    arc::ArcReport,
    authentication_results::{FieldWriter, MAX_REASON_LEN},
    dkim::{DkimResult, SignatureReport},
    dmarc::DmarcReport,
    spf::SpfReport,
    verdict::Verdict,
};
use std::fmt::Write as _;

/// How many signatures of DKIM have results where fewer were verified.
const FEW_SIGNATURES: usize = 10;
/// Characters of a reason where the field is too long otherwise.
const SHORT_REASON: usize = 60;
/// Octets for the address of the client in the result of ARC, so that the field is the same with it and without: 8 of folding, 17 of
/// key, 2 of quotes and 39 of an IPv6 address, and the CRLF before.
const REMOTE_IP_OCTETS: usize = 80;
/// Octets for the comment that says what was left out: 10 kinds of results, numbers of 8 digits, and folding.
const NOTE_OCTETS: usize = 320;
/// Octets that there are for DMARC's result and that comment, whatever is asked for.
const LEAST_OCTETS: usize = 1024;

/// One result of a verdict.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'v> {
    Dmarc(&'v DmarcReport),
    /// And the key of its identity.
    Spf(&'v SpfReport, &'static str),
    Arc(&'v ArcReport),
    Signature(&'v SignatureReport),
    /// What stands for all signatures where there is none.
    Unsigned,
}

impl Part<'_> {
    pub(super) fn method(&self) -> &'static str {
        match self {
            Self::Dmarc(_) => "dmarc",
            Self::Spf(..) => "spf",
            Self::Arc(_) => "arc",
            Self::Signature(_) | Self::Unsigned => "dkim",
        }
    }

    pub(super) fn result(&self) -> &'static str {
        match self {
            Self::Dmarc(report) => report.result.keyword(),
            Self::Spf(report, _) => report.result.keyword(),
            Self::Arc(report) => report.result.keyword(),
            Self::Signature(report) => report.result.keyword(),
            Self::Unsigned => "none",
        }
    }
}

/// All results of a verdict in the order of the field: those first that strangers cannot multiply, DMARC's before all, for what stands
/// at the end of a long header field may be cut off by others.
pub(super) fn parts(verdict: &Verdict) -> impl Iterator<Item = Part<'_>> {
    let Verdict { spf, dkim, arc, dmarc, .. } = verdict;
    let mail_from = spf.mail_from.iter().map(|report| Part::Spf(report, "smtp.mailfrom="));
    let helo = spf.helo.iter().map(|report| Part::Spf(report, "smtp.helo="));
    let unsigned = dkim.is_empty().then_some(Part::Unsigned);
    let signatures = dkim.iter().map(Part::Signature);
    [Part::Dmarc(dmarc)]
        .into_iter()
        .chain(mail_from)
        .chain(helo)
        .chain([Part::Arc(arc)])
        .chain(unsigned)
        .chain(signatures)
}

/// How much of a verdict stands in its field.
#[derive(Debug)]
pub(super) struct Extent<'v> {
    /// Characters of a reason.
    pub(super) max_reason: usize,
    /// The results; all where nothing was chosen.
    pub(super) chosen: Option<Chosen<'v>>,
}

/// Some of the results.
#[derive(Debug)]
pub(super) struct Chosen<'v> {
    /// In the order of the field; at least one.
    pub(super) parts: Vec<Part<'v>>,
    /// How many of what were not chosen; empty where all were.
    pub(super) left_out: String,
}

impl<'v> Extent<'v> {
    /// As much as strangers can send signatures; they may still make each of them long.
    pub(super) fn by_number(verdict: &'v Verdict) -> Self {
        let verified = verdict.dkim.iter().filter(|report| is_verified(report)).count();
        let most = verified.max(FEW_SIGNATURES);
        let chosen = verdict.dkim.len().checked_sub(most).filter(|left_out| *left_out > 0).map(|left_out| {
            let mut order = precedence(verdict);
            order.truncate(order.len() - left_out);
            Chosen::of(verdict, &order)
        });
        Self { max_reason: MAX_REASON_LEN, chosen }
    }

    /// As much as fits into so many octets.
    pub(super) fn fitting(verdict: &'v Verdict, authserv_id: &str, max_octets: usize) -> Self {
        let start = FieldWriter::new(authserv_id).len();
        let room = room(max_octets.max(start + LEAST_OCTETS));
        let fits = |extent: &Self| written(verdict, authserv_id, None, extent).finish().len() <= room;
        let mut extent = Self::by_number(verdict);
        if fits(&extent) {
            return extent;
        }
        extent.max_reason = SHORT_REASON;
        if fits(&extent) {
            return extent;
        }
        let order = extent.places_that_fit(verdict, room.saturating_sub(start + NOTE_OCTETS));
        Self { chosen: Some(Chosen::of(verdict, &order)), ..extent }
    }

    /// The places of the results that fit into so many octets, those that come first before others, and the first one in any case.
    fn places_that_fit(&self, verdict: &'v Verdict, mut room: usize) -> Vec<usize> {
        let all: Vec<Part<'_>> = parts(verdict).collect();
        let mut places = precedence(verdict);
        places.truncate(self.count(verdict));
        // Each begins a line of its own, and so takes as many octets wherever it stands.
        let mut field = FieldWriter::new("");
        let mut results = Registered::new(&mut field, verdict, self);
        let mut is_first = true;
        places.retain(|place| {
            let before = results.to.len();
            all.get(*place).iter().for_each(|part| results.part(**part, ""));
            let octets = results.to.len() - before;
            let fits = octets <= room;
            room = room.saturating_sub(if fits { octets } else { 0 });
            std::mem::take(&mut is_first) || fits
        });
        places
    }

    /// How many results stand there.
    pub(super) fn count(&self, verdict: &Verdict) -> usize {
        self.chosen.as_ref().map_or_else(|| parts(verdict).count(), |chosen| chosen.parts.len())
    }
}

impl<'v> Chosen<'v> {
    /// Those at such places among all; the others are counted.
    fn of(verdict: &'v Verdict, places: &[usize]) -> Self {
        let mut is_chosen = vec![false; parts(verdict).count()];
        places.iter().filter_map(|place| is_chosen.get_mut(*place).map(|is| *is = true)).for_each(drop);
        let (mut chosen, mut others) = (Vec::with_capacity(places.len()), Vec::new());
        for (part, is_chosen) in parts(verdict).zip(is_chosen) {
            if is_chosen {
                chosen.push(part);
                continue;
            }
            let kind = (part.method(), part.result());
            // There are no more kinds than words for results.
            match others.iter_mut().find(|(other, _)| *other == kind) {
                Some((_, count)) => *count += 1,
                None => others.push((kind, 1_usize)),
            }
        }
        let mut left_out = String::new();
        for ((method, result), count) in others {
            let before = if left_out.is_empty() { "left out:" } else { "," };
            // To write to memory never fails.
            let _ = write!(left_out, "{before} {count} {method} {result}");
        }
        Self { parts: chosen, left_out }
    }
}

/// Octets for the field without the address of the client.
pub(super) fn room(max_octets: usize) -> usize {
    max_octets.saturating_sub(REMOTE_IP_OCTETS)
}

/// Whether it was chosen for verification, which no more signatures are than the receiver says (`dkim::Policy::max_signatures`).
fn is_verified(report: &SignatureReport) -> bool {
    report.header_hash.is_some()
}

/// The places of all results among [`parts`], those first that are left out last.
fn precedence(verdict: &Verdict) -> Vec<usize> {
    let author = verdict.dmarc.author_domain.as_ref();
    let can_align = |report: &SignatureReport| {
        let signer = report.signature.domain.as_ref();
        signer.zip(author).is_some_and(|(signer, author)| signer.is_in_line_with(author))
    };
    let rank = |part: Part<'_>| match part {
        Part::Dmarc(_) | Part::Spf(..) | Part::Arc(_) | Part::Unsigned => None,
        Part::Signature(report) => Some((report.result != DkimResult::Pass, !is_verified(report), !can_align(report))),
    };
    let mut ranked: Vec<_> = parts(verdict).map(rank).enumerate().collect();
    // Stable: among equals, those that stand higher in the header come first.
    ranked.sort_by_key(|(_, rank)| *rank);
    ranked.into_iter().map(|(place, _)| place).collect()
}
