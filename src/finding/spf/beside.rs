//! The records that a check passed by, as far as they are at hand: what others meet in them.

use super::published::record_target;
use crate::{
    finding::record_text::spf_record_of,
    known::Beside,
    name::Name,
    spf::{DomainSpec, Term},
};

/// Names that are looked at.
const MAX_NAMES: usize = 64;

/// Reads the records of a domain and of all that it includes or redirects to, whether or not this client's check came to them.
pub(in crate::finding) fn read_beside(beside: &mut Beside<'_>, domain: &Name) {
    let mut names = vec![domain.clone()];
    let mut next = 0;
    while let Some(name) = names.get(next) {
        next += 1;
        let Some(record) = beside.txt(name).and_then(spf_record_of) else { continue };
        let directives = record.directives.iter().map(Term::Directive);
        let terms = directives.chain(record.effective_redirect().map(Term::Redirect));
        for target in terms.filter_map(record_target).filter_map(DomainSpec::literal) {
            if names.len() < MAX_NAMES && !names.contains(target) {
                names.push(target.clone());
            }
        }
    }
}
