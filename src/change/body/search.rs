//! Bodies that may have been signed, hashed one after the other until one fits.

use super::{super::work::Work, edit::Edit, window::Windows};
use crate::{
    crypto::{Digest, HashAlgorithm},
    dkim::{Algorithm, ChangeKind, trial::BodyTrial},
};
use std::ops::Range;

/// What bodies are to hash to: all that signatures with these settings have in `bh=`.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) canonicalization: Algorithm,
    pub(super) hash: HashAlgorithm,
    pub(super) length: Option<u64>,
    pub(super) digests: Vec<Vec<u8>>,
}

/// A search, and what it has found for each digest.
pub(super) struct Search {
    pub(super) target: Target,
    pub(super) work: Work,
    pub(super) found: Vec<Option<Vec<Edit>>>,
    pub(super) attempts: usize,
}

impl Search {
    pub(super) fn new(target: Target, work: Work) -> Self {
        let found = vec![None; target.digests.len()];
        Self { target, work, found, attempts: 0 }
    }

    /// What was not used.
    pub(super) fn into_rest(self) -> Work {
        self.work
    }

    pub(super) fn is_over(&self) -> bool {
        self.work.is_used_up() || self.found.iter().all(Option::is_some)
    }

    pub(super) fn fresh(&self) -> BodyTrial {
        BodyTrial::new(self.target.canonicalization, self.target.hash, self.target.length)
    }

    /// Keeps what was done where the digest is one of those wanted; the first finding counts.
    pub(super) fn test(&mut self, digest: Option<Digest>, edits: impl Fn() -> Vec<Edit>) {
        self.attempts += 1;
        let Some(digest) = digest else { return };
        for (wanted, found) in self.target.digests.iter().zip(&mut self.found) {
            if found.is_none() && wanted == digest.as_bytes() {
                *found = Some(edits());
            }
        }
    }

    /// A whole body.
    pub(super) fn whole(&mut self, body: &[u8], edits: impl Fn() -> Vec<Edit>) {
        if self.work.pay(body.len()) {
            let mut trial = self.fresh();
            trial.update(body);
            self.test(trial.finish(), edits);
        }
    }

    /// Runs a family of attempts with a part of the work.
    pub(super) fn within(&mut self, parts: u64, family: impl FnOnce(&mut Self)) {
        if self.is_over() {
            return;
        }
        let mut rest = self.work;
        self.work = rest.split(parts);
        family(self);
        self.work.join(rest);
    }

    /// Octets as they are.
    pub(super) fn plain(&mut self, pieces: &[&[u8]], what: &str) {
        if self.work.pay(pieces.iter().map(|piece| piece.len()).sum()) {
            let mut hasher = self.target.hash.hasher();
            pieces.iter().for_each(|piece| hasher.update(piece));
            let says = format!("the body is what it was, and the signer did not hash it by the rules: {what}");
            self.test(Some(hasher.finish()), || vec![Edit::new(ChangeKind::SignedWrongly, says.clone())]);
        }
    }

    /// The body without each of these stretches. `is_present` says whether it is the one that came.
    pub(super) fn windows(
        &mut self,
        windows: &Windows<'_>,
        ranges: impl IntoIterator<Item = Range<usize>>,
        base: &[Edit],
        is_present: bool,
    ) {
        for range in ranges {
            if self.is_over() {
                return;
            }
            let Some(digest) = windows.without(std::slice::from_ref(&range), &mut self.work) else { return };
            self.test(digest, || [base, &[Edit::added(windows.text, &range, is_present)]].concat());
        }
    }
}
