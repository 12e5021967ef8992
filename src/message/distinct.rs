//! Domains, each of them once.

use crate::name::Domain;
use smallvec::SmallVec;
use std::collections::BTreeSet;

/// How many domains are searched one by one; above that, a set costs less.
const FEW: usize = 8;

/// Domains in the order in which they first came.
#[derive(Debug, Default)]
pub(super) struct Distinct {
    pub(super) domains: SmallVec<[Domain; 1]>,
    /// The same, once there are more than a few.
    set: BTreeSet<Domain>,
}

impl Distinct {
    /// Whether it was added.
    pub(super) fn contains(&self, domain: &Domain) -> bool {
        if self.domains.len() <= FEW { self.domains.contains(domain) } else { self.set.contains(domain) }
    }

    pub(super) fn add(&mut self, domain: Domain) {
        if self.contains(&domain) {
            return;
        }
        if self.domains.len() == FEW {
            self.set.extend(self.domains.iter().cloned());
        }
        if self.domains.len() >= FEW {
            self.set.insert(domain.clone());
        }
        self.domains.push(domain);
    }
}
