//! Records that could be published in place of what is: offered where a look at them finds nothing wrong.

use super::{context::Context, dmarc, gather::Gathered, mend::mended, report::Correction, scope::Scope, spf};
use crate::{
    dns::RecordType,
    finding::{Finding, Quote, Rule, Severity, of_dmarc_texts},
    known::Log,
    lex::Span,
    policy::Policy,
    spf::{Directive, Mechanism, Record},
};

/// Records of the tree, and octets of the domain's own, up to which a correction is looked for: each step is a look of its own.
const MAX_NODES: usize = 40;
const MAX_OCTETS: usize = 2048;
/// Terms that are corrected.
const MAX_STEPS: usize = 40;

/// Of the domain's own record.
pub(super) fn spf(context: &Context<'_>) -> Option<Correction> {
    let Context { scope, policy, gathered, log, .. } = context;
    let name = context.domain();
    let texts = context.texts(name);
    let published = texts.iter().find(|text| Record::has_version(text))?;
    if context.records.nodes().len() > MAX_NODES || published.len() > MAX_OCTETS {
        return None;
    }
    let published = std::str::from_utf8(published).ok()?;
    let is_one = texts.iter().filter(|text| Record::has_version(text)).count() == 1;
    let mut text = mended(Some(texts)).or_else(|| is_one.then(|| published.to_owned()))?;
    let look = Look { scope, policy, gathered, log };
    for _ in 0..MAX_STEPS {
        let found = look.at(&text);
        match found.iter().find_map(|finding| step(context, &text, finding)) {
            Some(next) => text = next,
            None if found.iter().any(|finding| is_left(context, finding)) => return None,
            None => {
                let record = text.into_boxed_str();
                return (*record != *published).then(|| Correction { name: name.clone(), record });
            }
        }
    }
    None
}

/// Of the record of DMARC at the domain's own name, where what stands there is read otherwise than it was meant, or not at all.
pub(super) fn dmarc(context: &Context<'_>) -> Option<Correction> {
    let name = context.domain().prepend("_dmarc").ok()?;
    let record = dmarc::mended(context.texts(&name))?.into_boxed_str();
    let log = context.log.if_published(&name, &record);
    let left = of_dmarc_texts(log.entry(&name, RecordType::Txt)?);
    let is_wrong =
        |finding: &Finding| matches!(finding.severity, Severity::Error) || DMARC_MENDED.contains(&finding.rule);
    (!left.iter().any(is_wrong)).then_some(Correction { name, record })
}

/// What is mended, and no longer found.
const DMARC_MENDED: [Rule; 7] = [
    Rule::DmarcMultiple,
    Rule::DmarcNotARecord,
    Rule::DmarcPMissing,
    Rule::DmarcPBad,
    Rule::DmarcValueBad,
    Rule::DmarcDuplicateTag,
    Rule::DmarcUri,
];

/// What was asked and answered, had another record been published.
struct Look<'a> {
    scope: &'a Scope,
    policy: &'a Policy,
    gathered: &'a Gathered,
    log: &'a Log,
}

impl Look<'_> {
    fn at(&self, text: &str) -> Vec<Finding> {
        let log = self.log.if_published(self.scope.domain().as_name(), text);
        let context = Context::new(self.scope, self.policy, self.gathered, &log);
        spf::look(&context).1
    }
}

/// Whether something is wrong that a record could do without: what is said of hosts, of blocks and of others' records has its reasons
/// elsewhere.
fn is_left(context: &Context<'_>, finding: &Finding) -> bool {
    let is_own = finding.name.as_deref() == Some(&*crate::name::shown(context.domain()));
    match finding.severity {
        Severity::Error => true,
        Severity::Warning => is_own && finding.quote.is_some() || finding.rule == Rule::SpfNoEnd,
        Severity::Notice => false,
    }
}

/// The record without what a finding is about, or with what was meant.
fn step(context: &Context<'_>, text: &str, finding: &Finding) -> Option<String> {
    if finding.name.as_deref() != Some(&*crate::name::shown(context.domain())) {
        return None;
    }
    let quote = finding.quote.as_ref();
    match finding.rule {
        Rule::SpfNoEnd => Some(format!("{} ~all", text.trim_end())),
        Rule::SpfPassAll | Rule::SpfNeutralAll => {
            let term = quote?.text();
            let is_all = term.trim_start_matches(['+', '?']).eq_ignore_ascii_case("all");
            edited(text, quote?, if is_all { "~all" } else { "" })
        }
        Rule::SpfHostBits => edited(text, quote?, &without_host_bits(quote?.text())?),
        Rule::SpfMechanismTypo => edited(text, quote?, &quote?.text().replacen('=', ":", 1)),
        Rule::SpfAfterAll
        | Rule::SpfRedirectUnused
        | Rule::SpfRedundant
        | Rule::SpfDuplicateInclude
        | Rule::SpfIncludeNoEffect
        | Rule::SpfTargetNone
        | Rule::SpfDangling
        | Rule::SpfLoop
        | Rule::SpfSpecialAddress
        | Rule::SpfUnknownModifier
        | Rule::SpfExp => edited(text, quote?, ""),
        _ => None,
    }
}

/// The text with another term at a place, or without a term and the blank before it; `None` where nothing changes.
fn edited(text: &str, quote: &Quote, term: &str) -> Option<String> {
    let range = quote.span().map(Span::range)?;
    let (before, rest) = text.split_at_checked(range.start)?;
    let behind = rest.get(range.len()..)?;
    let edited =
        if term.is_empty() { format!("{}{behind}", before.trim_end()) } else { format!("{before}{term}{behind}") };
    // What is offered can be read, whatever was cut out.
    (edited != text && Record::parse(edited.as_bytes()).is_ok()).then_some(edited)
}

/// `ip4:192.0.2.5/24` as `ip4:192.0.2.0/24`.
fn without_host_bits(term: &str) -> Option<String> {
    let directive: Directive = term.parse().ok()?;
    let mechanism = match directive.mechanism {
        Mechanism::Ip4(net) => Mechanism::Ip4(net.trunc()),
        Mechanism::Ip6(net) => Mechanism::Ip6(net.trunc()),
        _ => return None,
    };
    let qualifier = term.get(..1).filter(|first| "+-?~".contains(first)).unwrap_or_default();
    Some(format!("{qualifier}{}", Directive::new(crate::spf::Qualifier::Pass, mechanism)))
}
