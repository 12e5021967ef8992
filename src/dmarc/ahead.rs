//! Questions that DMARC may come to, asked before it is known that it does.
//!
//! A tree walk asks one name after another, as the answer to one may be its end (RFC 9989 §4.10, steps 2 and 6). But all its names are
//! known from the start, and so are the domains that SPF and DKIM may come to authenticate. Where a message has to wait for an answer
//! anyway, all of these are asked side by side. Nothing is decided here: what is answered stands in the book of the message's
//! questions, where the walk finds it when it gets there. An answer that the walk does not get to is never looked at.

use super::{
    discover::evaluated,
    edition::{Editions, Policy},
    public_suffix::organizational_domain,
    tree_walk::targets,
};
use crate::{
    dkim,
    dns::Resolver,
    join::join_all,
    message::{Authors, Header},
    name::{Domain, Name},
    session::{MailFrom, Session},
};

/// How many questions of one message are asked ahead; SPF shares their allowance.
const MAX_ASKED_AHEAD: usize = 40;
/// How many fields are looked at for domains that may be authenticated.
const MAX_FIELDS: usize = 50;
/// Labels of the common ancestor with an author domain below which an identifier is expected to need a walk of its own.
const COMMON_LABELS: usize = 2;

/// Asks for the names of the author domains' walks, whether the author domains exist, and for the names of the walks from the MAIL FROM
/// domain and the signing domains, where these may align with an author domain and are not the same.
pub(crate) async fn ask_ahead<R: Resolver>(
    resolver: &R,
    policy: &Policy,
    authors: &Authors,
    header: &Header<'_>,
    session: &Session,
) {
    ask_for(resolver, policy, authors, identifiers(header, session)).await;
}

/// The same for these identifiers.
pub(crate) async fn ask_for<R: Resolver>(
    resolver: &R,
    policy: &Policy,
    authors: &Authors,
    identifiers: impl Iterator<Item = Domain>,
) {
    let names = names_ahead(policy, authors, identifiers);
    join_all(names.iter().map(|name| resolver.txt(name))).await;
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
    let suffixes = match &policy.editions {
        Editions::Rfc9989 => None,
        Editions::Rfc7489(suffixes) | Editions::Both(suffixes) => Some(suffixes),
    };
    if let Some(suffixes) = suffixes {
        authors.iter().filter_map(|author| record(&organizational_domain(&**suffixes, author))).for_each(&mut add);
    }
    if matches!(policy.editions, Editions::Rfc7489(_)) {
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

/// The domains that SPF and DKIM may come to authenticate; a guess, for nothing depends on it.
fn identifiers(header: &Header<'_>, session: &Session) -> impl Iterator<Item = Domain> {
    let domain_of = |address: &str| Domain::parse(address.rsplit('@').next()?.trim_end_matches('>')).ok();
    let mail_from = match &session.mail_from {
        MailFrom::Address(address) => domain_of(address),
        MailFrom::Null => session.helo.as_deref().and_then(|helo| Domain::parse(helo).ok()),
        MailFrom::FromReturnPath => header
            .named("Return-Path")
            .next()
            .and_then(|field| domain_of(std::str::from_utf8(field.value()).ok()?.trim())),
    };
    let signatures = header.named("DKIM-Signature").take(MAX_FIELDS);
    let signers = signatures.filter_map(|field| Some(dkim::Signature::parse(field.value()).ok()?.domain));
    mail_from.into_iter().chain(signers)
}
