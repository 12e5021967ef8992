//! What happened to the body.

mod conversion;
mod edit;
mod family;
mod repair;
mod search;
mod store;
mod url;
mod window;

pub(super) use store::store_rewrote;

use super::{said::whom_to_ask, suspect::Suspect, way::Way, work::Work};
use crate::{
    dkim::{Change, ChangeKind, ChangePart, parse},
    message::{HeaderField, Message, to_crlf},
    mime::{Structure, lines},
};
use search::{Search, Target};
use std::collections::HashMap;

/// What became of the body that a signature is about.
#[derive(Clone, Debug)]
pub(super) enum BodyFate {
    /// It was computed what happened.
    Proven(Vec<Change>),
    /// It is none of the bodies that were tried.
    NotFound(Tried),
}

/// What was excluded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tried {
    attempts: usize,
    is_cut_short: bool,
    is_truncated: bool,
    octets: usize,
}

/// What became of the body, by the places of the signatures' fields. Signatures that want the same hash share a search.
pub(super) fn fates(message: &Message<'_>, broken: &[&Suspect<'_>], work: &mut Work) -> HashMap<usize, BodyFate> {
    let mut groups: Vec<(Target, Vec<usize>)> = Vec::new();
    for suspect in broken {
        let Some(algorithm) = suspect.algorithm else { continue };
        let signature = &suspect.signature;
        let Some(digest) = parse::with_decoded(&signature.body_hash, |octets| octets.map(<[u8]>::to_vec)) else {
            continue;
        };
        let (canonicalization, hash, length) =
            (signature.canonicalization.body, algorithm.hash(), signature.body_length);
        let is_same =
            |target: &Target| (target.canonicalization, target.hash, target.length) == (canonicalization, hash, length);
        match groups.iter_mut().find(|(target, _)| is_same(target)) {
            Some((target, places)) => {
                target.digests.push(digest);
                places.push(suspect.own_index);
            }
            None => {
                groups.push((Target { canonicalization, hash, length, digests: vec![digest] }, vec![suspect.own_index]))
            }
        }
    }
    let mut fates = HashMap::new();
    if groups.is_empty() {
        return fates;
    }
    let raw = message.body();
    let body = to_crlf(raw);
    let structure = structure(message, &body);
    let price = price(&body);
    let mut left = groups.len() as u64;
    for (target, places) in groups {
        let mut search = Search::new(target, work.split(left).at_price(price));
        left -= 1;
        search.run(raw, &body, &structure);
        let (found, attempts) = (std::mem::take(&mut search.found), search.attempts);
        let rest = search.into_rest();
        let tried =
            Tried { attempts, is_cut_short: rest.is_used_up(), is_truncated: !structure.is_closed, octets: raw.len() };
        work.join(rest);
        for (place, found) in places.into_iter().zip(found) {
            let fate = match found {
                Some(edits) => BodyFate::Proven(edits.iter().map(edit::Edit::change).collect()),
                None => BodyFate::NotFound(tried),
            };
            fates.insert(place, fate);
        }
    }
    fates
}

/// What an octet of a body costs: canonicalization looks at line ends one by one.
fn price(body: &[u8]) -> u64 {
    let lines = memchr::memchr_iter(b'\n', body).count() as u64;
    1 + 6 * lines / (body.len() as u64).max(1)
}

fn structure(message: &Message<'_>, body: &[u8]) -> Structure {
    let value = |name: &str| message.header().named(name).next().map(|field| field.value()).unwrap_or_default();
    Structure::of(value("Content-Type"), value("Content-Transfer-Encoding"), body)
}

/// The fields of the first part of a multipart, where a body has its own that a multipart was put around.
pub(super) fn part_header<'m>(message: &Message<'m>) -> Vec<HeaderField<'m>> {
    let body = message.body();
    let structure = structure(message, body);
    let Some(part) = structure.parts.get(1) else { return Vec::new() };
    let fields = body.get(part.header.clone()).unwrap_or_default();
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (start, end) in lines(fields).take(64) {
        let is_folded = matches!(fields.get(start), Some(b' ' | b'\t'));
        match found.last_mut().filter(|_| is_folded) {
            Some(field) => field.1 = end,
            None => found.push((start, end)),
        }
    }
    found.into_iter().filter_map(|(start, end)| HeaderField::parse(fields.get(start..end)?)).collect()
}

impl Tried {
    /// That nothing was found, what was excluded, and whom to ask.
    pub(super) fn unknown(&self, suspect: &Suspect<'_>, is_header_other: bool, way: &Way) -> Change {
        let Self { attempts, is_cut_short, is_truncated, octets } = *self;
        if octets == 0 {
            return Change {
                kind: ChangeKind::BodyEmpty,
                part: ChangePart::Body,
                is_proven: false,
                field: None,
                says: "the body is empty now, and was not when it was signed; this rests on bh= alone".into(),
                advice: Some(
                    "Look for a copy that was stored whole, or for a host that removes what it takes for harmful."
                        .into(),
                ),
                undo: None,
            };
        }
        let excluded = format!(
            "{attempts} other bodies were hashed and do not fit bh= (without lines at the ends, within, and in parts; with other line ends, \
             white space, line breaks and encodings; with links as they were)"
        );
        let other = if is_header_other {
            "; the header differs as well, so the signature may have been taken from another message"
        } else {
            ""
        };
        let cut_short = if is_cut_short { ", as many as the limit of work allows" } else { "" };
        let (kind, says) = if is_truncated {
            (
                ChangeKind::BodyTruncated,
                format!(
                    "the last delimiter of the multipart is missing, so its end is probably lost; {excluded}{cut_short}"
                ),
            )
        } else {
            let domain = suspect.domain();
            (
                ChangeKind::Unknown,
                format!(
                    "the body is not what {domain} signed, and what was changed in it was not found: {excluded}{cut_short}{other}"
                ),
            )
        };
        Change {
            kind,
            part: ChangePart::Body,
            is_proven: false,
            field: None,
            says: says.into(),
            advice: Some(whom_to_ask(way).into()),
            undo: None,
        }
    }
}
