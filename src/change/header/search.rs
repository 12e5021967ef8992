//! Tries what the signed fields may have been, alone and together, until the digest is the one that was signed.

use super::{
    super::{signer::Signer, work::Work},
    alternative::Alternative,
    slot::Slots,
};
use crate::{
    crypto::{Digest, HashAlgorithm, Hasher},
    dkim::Algorithm,
};

/// What the header was when it was signed.
#[derive(Debug)]
pub(super) enum Found {
    /// It was canonicalized by the other algorithm.
    OtherCanonicalization(Algorithm),
    /// It is what it was, and the signer hashed something else than the rules say.
    SignedWrongly(&'static str),
    /// What it is with these alternatives, by their places.
    Undone(Vec<usize>),
    /// None of those that were tried.
    Other,
}

/// Rounds of trying: how many fields are exchanged at once, and how many likely alternatives of each.
const ROUNDS: [Round; 6] = [
    Round { depth: 1, of_slot: usize::MAX, with_unlikely: true },
    Round { depth: 2, of_slot: usize::MAX, with_unlikely: false },
    Round { depth: 3, of_slot: 6, with_unlikely: false },
    Round { depth: 4, of_slot: 3, with_unlikely: false },
    Round { depth: 2, of_slot: usize::MAX, with_unlikely: true },
    Round { depth: 4, of_slot: 6, with_unlikely: false },
];

struct Round {
    depth: usize,
    of_slot: usize,
    with_unlikely: bool,
}

pub(super) struct Search<'a, 'm> {
    pub(super) slots: &'a Slots<'m>,
    pub(super) alternatives: &'a [Alternative],
    pub(super) signer: &'a Signer,
    pub(super) hash: HashAlgorithm,
    pub(super) octets: usize,
    pub(super) attempts: usize,
}

/// The work is used up.
struct UsedUp;

impl Search<'_, '_> {
    /// Whether the header is what was signed; `None` where the signature does not tell.
    pub(super) fn is_intact(&mut self, work: &mut Work) -> Option<bool> {
        let digest = self.digest(&[]);
        self.signer.signed(&digest, self.octets, work)
    }

    /// With fewer changes before more, and in the order of the alternatives.
    pub(super) fn alternatives(&mut self, work: &mut Work) -> Found {
        for round in &ROUNDS {
            match self.round(round, work) {
                Ok(Some(found)) => return Found::Undone(found),
                Ok(None) => {}
                Err(UsedUp) => break,
            }
        }
        Found::Other
    }

    fn round(&mut self, round: &Round, work: &mut Work) -> Result<Option<Vec<usize>>, UsedUp> {
        let Round { depth, of_slot, with_unlikely } = *round;
        let likely = self.likely(of_slot);
        if !with_unlikely {
            return self.combine(&mut Vec::new(), &likely, depth, work);
        }
        let all: Vec<usize> = (0..self.alternatives.len()).collect();
        if depth == 1 {
            return self.combine(&mut Vec::new(), &all, 1, work);
        }
        // A likely one with one that is not.
        let is_likely = |place: &usize| self.alternatives.get(*place).is_some_and(|other| other.is_likely);
        let unlikely: Vec<usize> = all.into_iter().filter(|place| !is_likely(place)).collect();
        for first in likely {
            let found = self.combine(&mut vec![first], &unlikely, depth - 1, work)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The first likely alternatives of each field.
    fn likely(&self, most: usize) -> Vec<usize> {
        let mut counts = vec![0_usize; self.slots.slots.len()];
        let mut places = Vec::new();
        for (place, alternative) in self.alternatives.iter().enumerate().filter(|(_, other)| other.is_likely) {
            let slot = alternative.replaced.first().map_or(0, |(slot, _)| *slot);
            if let Some(count) = counts.get_mut(slot).filter(|count| **count < most) {
                *count += 1;
                places.push(place);
            }
        }
        places
    }

    /// Adds `depth` more of `rest` to those that are chosen. It calls itself no deeper than that.
    fn combine(
        &mut self,
        chosen: &mut Vec<usize>,
        rest: &[usize],
        depth: usize,
        work: &mut Work,
    ) -> Result<Option<Vec<usize>>, UsedUp> {
        if depth == 0 {
            let digest = self.digest(chosen);
            self.attempts += 1;
            return match self.signer.signed(&digest, self.octets, work) {
                Some(true) => Ok(Some(chosen.clone())),
                Some(false) => Ok(None),
                None => Err(UsedUp),
            };
        }
        for (at, place) in rest.iter().enumerate() {
            if !self.is_free(chosen, *place) {
                continue;
            }
            chosen.push(*place);
            let found = self.combine(chosen, rest.get(at + 1..).unwrap_or_default(), depth - 1, work)?;
            chosen.pop();
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Whether the alternative exchanges other fields than those that are chosen.
    fn is_free(&self, chosen: &[usize], place: usize) -> bool {
        let slots = |place: usize| self.alternatives.get(place).into_iter().flat_map(|other| &other.replaced);
        let is_taken = |slot: usize| chosen.iter().any(|other| slots(*other).any(|(taken, _)| *taken == slot));
        !slots(place).any(|(slot, _)| is_taken(*slot))
    }

    /// RFC 6376 §3.7, with alternatives in the place of fields.
    fn digest(&self, chosen: &[usize]) -> Digest {
        let mut hasher = self.hash.hasher();
        self.feed(&mut hasher, chosen);
        hasher.update(&self.slots.own);
        hasher.finish()
    }

    fn feed(&self, hasher: &mut Hasher, chosen: &[usize]) {
        let replaced = |slot: usize| {
            let all = chosen.iter().filter_map(|place| self.alternatives.get(*place)).flat_map(|other| &other.replaced);
            all.filter(|(other, _)| *other == slot).map(|(_, text)| text).next()
        };
        for (place, slot) in self.slots.slots.iter().enumerate() {
            hasher.update(replaced(place).unwrap_or(&slot.canonical));
        }
    }

    /// What signers are known to hash instead (each of them was met).
    pub(super) fn signed_wrongly(&mut self, work: &mut Work) -> Option<&'static str> {
        let hashed = |parts: &dyn Fn(&mut Hasher)| {
            let mut hasher = self.hash.hasher();
            parts(&mut hasher);
            hasher.finish()
        };
        let own = &self.slots.own;
        let slots = || self.slots.slots.iter();
        let forms = [
            (
                hashed(&|hasher| {
                    self.feed(hasher, &[]);
                    hasher.update(own);
                    hasher.update(b"\r\n");
                }),
                "it hashed a line end behind its own field, and RFC 6376 section 3.7 says that there is none",
            ),
            (hashed(&|hasher| self.feed(hasher, &[])), "it did not hash its own field, as RFC 6376 section 3.7 says"),
            (
                hashed(&|hasher| {
                    hasher.update(own);
                    hasher.update(b"\r\n");
                    self.feed(hasher, &[]);
                }),
                "it hashed its own field first, and RFC 6376 section 3.7 says last",
            ),
            (
                hashed(&|hasher| {
                    // A field that is absent counts as the null string (RFC 6376 §5.4), name and colon included.
                    for slot in slots() {
                        match slot.field {
                            Some(_) => hasher.update(&slot.canonical),
                            None => hasher.update(format!("{}:\r\n", slot.name).as_bytes()),
                        }
                    }
                    hasher.update(own);
                }),
                "it hashed absent fields as empty ones, and RFC 6376 section 5.4 says that they are no text at all",
            ),
            (
                hashed(&|hasher| {
                    slots().for_each(|slot| {
                        hasher.update(
                            &slot.canonical.strip_suffix(b"\r\n").map_or_else(Vec::new, |text| [text, b"\n"].concat()),
                        )
                    });
                    hasher.update(own);
                }),
                "it hashed the fields with bare LF line ends, and RFC 6376 section 3.4 says CRLF",
            ),
            (
                hashed(&|hasher| hasher.update(self.digest(&[]).as_bytes())),
                "it hashed the hash of the header once more",
            ),
        ];
        for (digest, what) in forms {
            self.attempts += 1;
            if self.signer.signed(&digest, self.octets, work)? {
                return Some(what);
            }
        }
        None
    }
}
