//! Questions that DMARC may come to, asked before it is known that it does.
//!
//! A tree walk asks one name after another, as the answer to one may be its end (RFC 9989 §4.10, steps 2 and 6). But all its names are
//! known from the start, and so are the domains that SPF and DKIM may come to authenticate. Where a message has to wait for an answer
//! anyway, all of these are asked side by side. Nothing is decided here, and an answer that the walk does not get to is never looked at.

use super::{discover::evaluated, policy::Policy, public_suffix::organizational_domain, tree_walk::targets};
use crate::{
    known::Ahead,
    message::Authors,
    name::{Domain, Name},
};

/// How many questions of one message are asked ahead; SPF shares their allowance.
const MAX_ASKED_AHEAD: usize = 40;
/// Labels of the common ancestor with an author domain below which an identifier is expected to need a walk of its own.
const COMMON_LABELS: usize = 2;

/// Asks for the names of the author domains' walks, whether the author domains exist, and for the names of the walks from what SPF and
/// DKIM may come to authenticate, where that may align with an author domain and is not the same.
pub(crate) fn ask_ahead(
    ahead: &mut Ahead<'_>,
    policy: &Policy,
    authors: &Authors,
    identifiers: impl Iterator<Item = Domain>,
) {
    for name in names_ahead(policy, authors, identifiers) {
        ahead.ask::<Box<[u8]>>(&name);
    }
}

/// The names, those that are the most likely to be needed first.
fn names_ahead(policy: &Policy, authors: &Authors, identifiers: impl Iterator<Item = Domain>) -> Vec<Name> {
    let mut names = Vec::new();
    let mut add = |name: Name| {
        if names.len() < MAX_ASKED_AHEAD && !names.contains(&name) {
            names.push(name);
        }
    };
    let record = |domain: &Domain| domain.as_name().prepend("_dmarc").ok();
    let authors: Vec<&Domain> = evaluated(authors, policy).collect();
    if let Some(suffixes) = policy.editions.suffixes() {
        authors.iter().filter_map(|author| record(&organizational_domain(suffixes, author))).for_each(&mut add);
    }
    if !policy.editions.use_tree_walk() {
        return names;
    }
    let walk = |start: &Domain| targets(start).filter_map(|target| record(&target)).collect::<Vec<_>>();
    authors.iter().flat_map(|author| walk(author)).for_each(&mut add);
    authors.iter().map(|author| author.as_name().clone()).for_each(&mut add);
    // RFC 9989 §4.10.2: an identifier that is not at or below the organizational domain needs no walk. Which one that is, nobody knows
    // yet; it rarely has fewer labels than two.
    let may_align =
        |domain: &Domain| authors.iter().any(|author| domain.is_at_or_below(&author.rightmost(COMMON_LABELS)));
    identifiers.filter(may_align).flat_map(|identifier| walk(&identifier)).for_each(&mut add);
    names
}
