//! What a look came to, in sentences: the same for a terminal and for a page.

use mailverdict::{
    lint::{DmarcPublished, KeyPublished, Sender, SpfPublished, SpfTerm},
    report::Permission,
};

/// What the records cost.
pub(crate) fn lookups(spf: &SpfPublished) -> String {
    format!(
        "{} of 10 lookups for a client that no term matches, {} at best; {} of 2 in vain",
        spf.lookups, spf.least_lookups, spf.void_lookups
    )
}

/// Whom they let in.
pub(crate) fn allowed(spf: &SpfPublished) -> String {
    format!(
        "allowed: {}, {}",
        counted(spf.ipv4_addresses, "IPv4 address", "IPv4 addresses"),
        counted(u64::try_from(spf.ipv6_prefixes).unwrap_or(u64::MAX), "IPv6 network", "IPv6 networks")
    )
}

fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// How many terms in a row are addresses of the same record.
pub(crate) fn addresses_in_a_row(terms: &[SpfTerm]) -> usize {
    let Some(first) = terms.first() else { return 0 };
    let is_address = |term: &&SpfTerm| {
        let start = term.term.get(..4).unwrap_or_default();
        (start.eq_ignore_ascii_case("ip4:") || start.eq_ignore_ascii_case("ip6:"))
            && term.depth == first.depth
            && term.domain == first.domain
    };
    terms.iter().take_while(is_address).count()
}

/// What a record of DMARC comes to, a sentence each.
pub(crate) fn policies(dmarc: &DmarcPublished) -> Vec<String> {
    let organization = dmarc.organizational_domain.as_ref().map_or("not known", |domain| domain.as_str());
    let testing = if dmarc.testing { "; each lowered by one, for a test" } else { "" };
    let policies = format!(
        "mail of the domain that fails: {}; of subdomains: {}; of names that do not exist: {}{testing}",
        dmarc.policy.keyword(),
        dmarc.subdomain_policy.keyword(),
        dmarc.nonexistent_policy.keyword()
    );
    let mut said = vec![format!("organizational domain: {organization}"), policies];
    said.extend(dmarc.rfc7489.as_ref().map(|older| {
        let part = if older.percent < 100 { format!(", for {} of 100 messages", older.percent) } else { String::new() };
        format!(
            "receivers that follow RFC 7489: {}; of all names below: {}{part}",
            older.policy.keyword(),
            older.subdomain_policy.keyword()
        )
    }));
    said.extend(dmarc.destinations.iter().map(|to| match &to.permission {
        Permission::Internal => format!("reports to {}", to.uri),
        permission => format!("reports to {}: {permission}", to.uri),
    }));
    said
}

/// What a key is.
pub(crate) fn key(key: &KeyPublished) -> String {
    let kind = match (&key.key_type, key.bits) {
        (Some(kind), Some(bits)) => format!("{kind}, {bits} bits"),
        (Some(kind), None) => format!("{kind}, no key that can be used"),
        (None, _) => "no key".to_owned(),
    };
    let by: String = key.aliases.iter().map(|alias| format!(" by way of {alias}")).collect();
    format!("{}: {kind}{by}", key.name)
}

/// What a host meets.
pub(crate) fn sender(sender: &Sender) -> String {
    let name = match sender.names.first() {
        Some(name) if sender.is_confirmed => format!("{name}"),
        Some(name) => format!("{name}, which does not lead back"),
        None => "without a name".to_owned(),
    };
    let spf = match &sender.spf {
        Some(report) => format!("SPF {}: {report}", report.result.keyword()),
        None => "SPF is not known, because it depends on what only the message tells".to_owned(),
    };
    format!("{} ({name}): {spf}", sender.ip)
}

/// Where no selector is known.
pub(crate) const NO_SELECTOR: &str = "no selector is known: --selector names one, --message takes those of a message";
