//! The DMARC record that applies to a domain: what it comes to, and what is wrong with it.

mod mend;
mod record;
mod reports;

pub(super) use mend::mended;

use super::{
    context::{Context, ordered},
    report::{DmarcPublished, OlderPolicies},
};
use crate::{
    dmarc::{Edition, Existence, Found, PublishedRecord, Record, TreeWalk},
    dns::RecordType,
    finding::{Finding, MAX_LABELS, RecordText, Rule, dmarc_of, no_dmarc, of_dmarc_texts, of_name, too_deep},
    lex::excerpt,
    name::{Domain, shown},
};

/// Findings about DMARC.
const MAX_FINDINGS: usize = 100;

/// What is published, and the findings about it.
pub(super) fn look(context: &Context<'_>) -> (Option<DmarcPublished>, Vec<Finding>) {
    let Some(walk) = &context.gathered.walk else { return (None, Vec::new()) };
    let mut found = Vec::new();
    // What stands above the record that applies says nothing of the domain.
    for step in &walk.steps {
        if context.is_own(step.domain.as_name()) {
            found.extend(of_step(context, &step.domain));
        }
        if context.dmarc().is_some_and(|published| published.domain == step.domain) {
            break;
        }
    }
    found.extend(deep(context, walk));
    let published = context.dmarc();
    match published {
        Some(published) => found.extend(of_record(context, walk, published)),
        None if !walk.steps.iter().any(|step| matches!(step.found, Found::Error(_))) => {
            found.extend(absent(context, walk, &found));
        }
        None => {}
    }
    let names: Vec<_> = walk.steps.iter().filter_map(|step| step.domain.as_name().prepend("_dmarc").ok()).collect();
    ordered(&mut found, names.iter(), MAX_FINDINGS);
    (published.map(|published| told(context, walk, published)), found)
}

fn told(context: &Context<'_>, walk: &TreeWalk, published: &PublishedRecord) -> DmarcPublished {
    let PublishedRecord { name, text, record, domain, .. } = published;
    let of = |edition, existence: Option<&Existence>| {
        let below = existence.or((*domain != *context.scope.domain()).then_some(&Existence::Exists));
        record.policy_for(edition, below).0
    };
    let (now, older) = (Edition::Rfc9989, Edition::Rfc7489);
    let policies = [None, Some(&Existence::Exists), Some(&Existence::NonExistent)];
    let [policy, subdomain_policy, nonexistent_policy] = policies.map(|existence| of(now, existence));
    let [policy7489, subdomain7489, nonexistent7489] = policies.map(|existence| of(older, existence));
    let differs = (policy7489, subdomain7489, nonexistent7489) != (policy, subdomain_policy, nonexistent_policy)
        || record.percent < 100
        || record.testing;
    let destinations = context.gathered.aggregate.iter().chain(&context.gathered.failure).cloned().collect();
    DmarcPublished {
        name: name.clone(),
        record: text.clone(),
        organizational_domain: walk.organizational_domain().ok(),
        policy,
        subdomain_policy,
        nonexistent_policy,
        testing: record.testing,
        rfc7489: differs.then_some(OlderPolicies {
            policy: policy7489,
            subdomain_policy: subdomain7489,
            percent: record.percent,
        }),
        destinations,
    }
}

/// What stands at one name of the walk.
fn of_step(context: &Context<'_>, domain: &Domain) -> Vec<Finding> {
    let entry = domain.as_name().prepend("_dmarc").ok().and_then(|name| context.entry(&name, RecordType::Txt));
    entry.map(of_dmarc_texts).unwrap_or_default()
}

/// No record applies.
fn absent(context: &Context<'_>, walk: &TreeWalk, found: &[Finding]) -> Option<Finding> {
    const EXPLAIN: [Rule; 2] = [Rule::DmarcNotARecord, Rule::DmarcMultiple];
    if found.iter().any(|finding| EXPLAIN.contains(&finding.rule)) {
        return None;
    }
    let domain = context.domain();
    if let Some(elsewhere) = dmarc_of(domain, context.log) {
        return Some(elsewhere);
    }
    let name = domain.prepend("_dmarc").ok()?;
    let asked = walk.steps.iter().map(|step| step.domain.as_name());
    let why = format!(": anybody may write mail that claims to be from {}", shown(domain));
    Some(no_dmarc(&name, asked, &why))
}

/// A name with more labels than the walk goes through, and no record of its own.
fn deep(context: &Context<'_>, walk: &TreeWalk) -> Option<Finding> {
    let name = context.domain();
    let lacks_own = matches!(walk.steps.first()?.found, Found::Nothing { .. });
    (name.label_count() > MAX_LABELS && lacks_own).then(|| too_deep(name))
}

/// Of the record that applies.
fn of_record(context: &Context<'_>, walk: &TreeWalk, published: &PublishedRecord) -> Vec<Finding> {
    let texts = context.texts(&published.name);
    let Some(text) = texts.iter().find(|text| Record::parse(text).is_ok()) else { return Vec::new() };
    if !context.is_own(published.domain.as_name()) {
        return Vec::new();
    }
    let of = record::OfRecord {
        context,
        text: RecordText { name: &published.name, text },
        record: &published.record,
        is_organizational: walk.organizational_domain().is_ok_and(|domain| domain == published.domain),
    };
    let mut found = of.findings();
    found.extend(reports::findings(&of));
    found.extend(unrelated(&of, texts));
    found.extend(editions_differ(context, walk, published));
    found
}

/// Other texts at the name of the record, which receivers pass over.
fn unrelated(of: &record::OfRecord<'_, '_>, texts: &[Box<[u8]>]) -> Option<Finding> {
    let is_other = |text: &[u8]| Record::parse(text).is_err() && crate::dmarc::near_miss(text).is_none();
    let other = texts.iter().find(|text| is_other(text))?;
    let says = format!("\"{}\" stands beside the DMARC record, and receivers pass it over", excerpt(other));
    let says = match other.get(..6) {
        Some(start) if start.eq_ignore_ascii_case(b"v=spf1") => {
            format!("{says}; a record of SPF at this name is most often that of a wildcard")
        }
        Some(_) | None => says,
    };
    Some(of_name(of.text.name, Rule::DmarcUnrelated, &says, "Take it out, if nobody needs it there."))
}

/// RFC 9989 §4.10 and RFC 7489 §3.2: by which domain others are aligned.
fn editions_differ(context: &Context<'_>, walk: &TreeWalk, published: &PublishedRecord) -> Option<Finding> {
    let now = walk.organizational_domain().ok()?;
    if cfg!(not(feature = "psl")) || now.as_name() == &context.organization {
        return None;
    }
    let older = shown(&context.organization);
    let has_none_there = !walk.records().any(|record| *record.domain.as_name() == context.organization);
    let lost =
        if has_none_there && published.domain != *context.scope.domain() { ", and see no record there" } else { "" };
    let says = format!(
        "the organizational domain is {now} by RFC 9989, whose records decide it, and {older} by the public suffix list: receivers that follow RFC 7489 align mail with {older}{lost}"
    );
    let advice = format!("Publish a DMARC record at _dmarc.{older}.");
    Some(of_name(&published.name, Rule::DmarcEditionsDiffer, &says, &advice))
}
