//! What is wrong with DMARC records, as findings.

mod hint;
mod record;

use super::{
    Finding, Rule,
    quote::quoted,
    record_text::{RecordText, of_name, shown},
};
use crate::{
    dmarc::{
        Comparison, Disposition, DmarcReport, DmarcResult, Edition, Found, NearMiss, PolicyTag, Record, Request,
        kept_record, near_miss,
    },
    dns::{Answer, AnyAnswer, RecordType},
    known::{Entry, Log},
    name::Name,
    verdict::Verdict,
};

/// Findings of one record; what is wrong beyond them is wrong in the same way.
const MAX_OF_A_RECORD: usize = 16;
/// Texts of one name that are looked at.
const MAX_TEXTS: usize = 64;

/// Those of all records that were read, and of the policy that applies.
pub(super) fn findings(verdict: &Verdict, log: &Log) -> Vec<Finding> {
    let mut found = Vec::new();
    for entry in walked(log) {
        found.extend(of_entry(entry, verdict));
    }
    found.extend(deep(&verdict.dmarc));
    found.extend(spf_only(&verdict.dmarc));
    if let Some(older) = &verdict.dmarc_rfc7489 {
        found.extend(editions_differ(&verdict.dmarc, older));
    }
    found
}

/// The questions for DMARC records that a result rests on.
pub(super) fn walked(log: &Log) -> impl Iterator<Item = &Entry> {
    log.entries().iter().filter(|entry| {
        let question = entry.question();
        question.record_type == RecordType::Txt && question.name.as_str().starts_with("_dmarc.") && entry.is_needed()
    })
}

/// RFC 9989 §7.4: who asks to reject must not rely on SPF alone, because it is lost where mail is forwarded.
fn spf_only(dmarc: &DmarcReport) -> Option<Finding> {
    let is_by_spf_alone = matches!(dmarc.result, DmarcResult::Pass(_)) && !dmarc.dkim_aligned();
    if !is_by_spf_alone || dmarc.policy != Some(Disposition::Reject) {
        return None;
    }
    let (author, owner) = (dmarc.author_domain.as_ref()?.as_name(), dmarc.policy_domain.as_ref()?);
    // §4.7, t: p=reject is published all the same.
    let is_testing = dmarc.edition == Edition::Rfc9989 && dmarc.record.as_ref().is_some_and(|of| of.record.testing);
    let so = if is_testing { "quarantined while t=y stands, and rejected once it is removed" } else { "rejected" };
    let says = format!(
        "{} passes by SPF alone, and {owner} asks receivers to reject what fails: forwarded, this message is {so}",
        shown(author)
    );
    let advice = format!("Sign with DKIM in the name of {}.", shown(author));
    Some(of_name(author, Rule::DmarcSpfOnly, &says, &advice))
}

/// Labels of a name that the tree walk begins with; of a longer one it looks at the name itself, and then at its last seven labels
/// (RFC 9989 §4.10, step 4).
pub(crate) const MAX_LABELS: usize = 8;

/// An author domain whose record nobody finds between the name itself and its last labels.
fn deep(dmarc: &DmarcReport) -> Option<Finding> {
    let author = dmarc.author_domain.as_ref()?.as_name();
    let labels = author.labels().count();
    let own = dmarc.steps.first()?;
    if dmarc.edition != Edition::Rfc9989 || labels <= MAX_LABELS || !matches!(own.found, Found::Nothing { .. }) {
        return None;
    }
    Some(too_deep(author))
}

/// Of a name with more labels than the walk goes through, and no record of its own.
pub(crate) fn too_deep(name: &Name) -> Finding {
    let labels = name.label_count();
    let says = format!(
        "{} has {labels} labels and no DMARC record of its own; receivers go on at its last seven, and see none between",
        shown(name)
    );
    let advice = format!("Publish a record at _dmarc.{}.", shown(name));
    of_name(name, Rule::DmarcDeep, &says, &advice)
}

/// What stands at one name, whoever is judged by it.
pub(crate) fn of_texts(entry: &Entry) -> Vec<Finding> {
    read(entry, |text, record| record::findings(text, record, Edition::Rfc9989))
}

/// What stands at one name.
fn of_entry(entry: &Entry, verdict: &Verdict) -> Vec<Finding> {
    read(entry, |text, record| of_record(text, record, verdict))
}

/// The findings of the record at a name by `of_record`, or why there is none.
fn read(entry: &Entry, of_record: impl Fn(&RecordText<'_>, &Record) -> Vec<Finding>) -> Vec<Finding> {
    let name = &entry.question().name;
    if let (Some(Ok(AnyAnswer::Txt(Answer::Records(records)))), [text]) = (entry.answer(), entry.texts())
        && let Some(kept) = kept_record(records)
    {
        return of_record(&RecordText { name, text }, &kept.record);
    }
    let texts = entry.texts().iter().take(MAX_TEXTS).map(|text| RecordText { name, text });
    let mut found = Vec::new();
    let mut records = Vec::new();
    for text in texts {
        match Record::parse(text.text) {
            Ok(record) => records.push((text, record)),
            Err(_) => found.extend(near_miss(text.text).map(|(near, span)| not_a_record(&text, near, span))),
        }
    }
    match records.as_slice() {
        [] => {}
        [(text, record)] => found.extend(of_record(text, record)),
        // RFC 9989 §4.10, steps 2 and 6.
        several => found.push(of_name(
            name,
            Rule::DmarcMultiple,
            &format!("{} DMARC records stand at {}, and receivers discard all of them", several.len(), shown(name)),
            "Publish one record.",
        )),
    }
    found
}

/// The one record at a name.
fn of_record(text: &RecordText<'_>, record: &Record, verdict: &Verdict) -> Vec<Finding> {
    let mut found = record::findings(text, record, verdict.dmarc.edition);
    found.truncate(MAX_OF_A_RECORD);
    let mut reports = [&verdict.dmarc].into_iter().chain(&verdict.dmarc.authors);
    let of_this = |report: &&DmarcReport| report.record.as_ref().is_some_and(|of| of.name == *text.name);
    if let Some(report) = reports.find(of_this) {
        found.extend(of_policy(text, record, report));
    }
    found
}

/// RFC 9989 §4.7, v.
fn not_a_record(text: &RecordText<'_>, near: NearMiss, span: Option<crate::lex::Span>) -> Finding {
    let why = match near {
        NearMiss::NotFirst => "v=DMARC1 must be the first tag",
        NearMiss::Before => "something stands before v=DMARC1, such as a blank or a quotation mark",
        NearMiss::NoSemicolon => "a semicolon is missing behind v=DMARC1",
        NearMiss::Case => "v=DMARC1 must be in upper case",
        NearMiss::Version => "it does not begin with v=DMARC1",
    };
    let says = format!("{} makes the text no DMARC record, because {why}: receivers ignore it", quoted(text.at(span)));
    text.finding(Rule::DmarcNotARecord, span, &says, "Let the record begin with \"v=DMARC1;\".")
}

/// What the policy of the message comes to otherwise than its owner may think.
fn of_policy(text: &RecordText<'_>, record: &Record, report: &DmarcReport) -> Vec<Finding> {
    let mut found = lowered(text, record, report.edition);
    if let (Some(policy), Request::Valid(of_domain)) = (report.policy, &record.policy)
        && policy < *of_domain
        && report.replaced().is_none()
    {
        let author = report.author_domain.as_ref().map_or("the author domain", |domain| domain.as_str());
        found.extend(report.policy_tag.and_then(|tag| weaker(text, record, tag, author)));
    }
    found
}

/// Tags that make less of the policy than it says.
pub(crate) fn lowered(text: &RecordText<'_>, record: &Record, edition: Edition) -> Vec<Finding> {
    let mut found = Vec::new();
    let asks = |request: &Request| matches!(request, Request::Valid(asked) if *asked > Disposition::None);
    let any_asks = [&record.policy, &record.subdomain_policy, &record.nonexistent_policy].into_iter().any(asks);
    let tag = |name: &str| record.span_of(name).map(|tag| tag.whole());
    // RFC 9989 §4.7, t; RFC 7489 has no such tag.
    if record.testing && any_asks && edition == Edition::Rfc9989 {
        let says = format!(
            "{} says that the domain is testing: what is to be rejected is quarantined, and what is to be quarantined is let in",
            quoted(text.at(tag("t")))
        );
        found.push(text.finding(Rule::DmarcTesting, tag("t"), &says, "Remove the tag when the test is over."));
    }
    // RFC 9989 A.6.
    if record.percent < 100 && any_asks {
        let says = format!(
            "{} means two things: receivers that follow RFC 9989 apply the policy to all messages, those that follow RFC 7489 to {} of 100",
            quoted(text.at(tag("pct"))),
            record.percent
        );
        found.push(text.finding(Rule::DmarcPct, tag("pct"), &says, "Remove the tag; t=y is for testing."));
    }
    found
}

/// `sp` or `np` (RFC 9989 §4.7), where it protects less than `p` does; `such_as` is a name that it is for.
pub(crate) fn weaker(text: &RecordText<'_>, record: &Record, of: PolicyTag, such_as: &str) -> Option<Finding> {
    let Request::Valid(of_domain) = &record.policy else { return None };
    let tag = |name: &str| record.span_of(name).map(|tag| tag.whole());
    let (rule, name, which) = match of {
        PolicyTag::Sp => (Rule::DmarcSpWeaker, "sp", "subdomains"),
        PolicyTag::Np => (Rule::DmarcNpWeaker, "np", "subdomains that do not exist"),
        PolicyTag::P => return None,
    };
    let says = format!(
        "{} protects {which}, such as {such_as}, less than {} protects the domain itself",
        quoted(text.at(tag(name))),
        quoted(text.at(tag("p")))
    );
    let advice = format!("Write {name}={}, if the subdomains are to be protected as well.", of_domain.keyword());
    Some(text.finding(rule, tag(name), &says, &advice))
}

/// RFC 9989 §4.10 and RFC 7489 §3.2, where both were evaluated.
fn editions_differ(report: &DmarcReport, older: &DmarcReport) -> Option<Finding> {
    let Comparison { differences, causes, .. } = Comparison::of(report, older);
    let first = differences.first()?;
    let mut says = first.to_string();
    for (place, cause) in causes.iter().enumerate() {
        says.push_str(if place == 0 { ", because " } else { "; and because " });
        says.push_str(&cause.to_string());
    }
    Some(match &report.record {
        Some(published) => of_name(&published.name, Rule::DmarcEditionsDiffer, &says, ""),
        None => Finding::new(Rule::DmarcEditionsDiffer, &says),
    })
}
