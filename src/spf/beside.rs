//! The records that a check passed by, as far as they are at hand: what others meet in them.

use super::{Mechanism, publication};
use crate::{dns::Answer, known::Beside, name::Name};

/// Names that are looked at.
const MAX_NAMES: usize = 64;
/// The [`publication::Found::size`] of records that are looked through.
const MAX_SIZE: usize = 8192;

/// Reads the records of a domain and of all that it includes or redirects to, whether or not this client's check came to them.
pub(crate) fn read_beside(beside: &mut Beside<'_>, domain: &Name) {
    let mut names = vec![domain.clone()];
    let mut next = 0;
    while let Some(name) = names.get(next) {
        next += 1;
        let Some(Answer::Records(texts)) = beside.txt(name) else { continue };
        let Some(Ok(record)) = publication::find(texts, MAX_SIZE).record else { continue };
        let includes = record.directives.iter().filter_map(|directive| match &directive.mechanism {
            Mechanism::Include(spec) => spec.literal(),
            Mechanism::All
            | Mechanism::A(_)
            | Mechanism::Mx(_)
            | Mechanism::Ptr(_)
            | Mechanism::Ip4(_)
            | Mechanism::Ip6(_)
            | Mechanism::Exists(_) => None,
        });
        let redirect = record.effective_redirect().and_then(|redirect| redirect.domain.literal());
        for target in includes.chain(redirect) {
            if names.len() < MAX_NAMES && !names.contains(target) {
                names.push(target.clone());
            }
        }
    }
}
