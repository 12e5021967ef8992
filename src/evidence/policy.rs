//! The settings of a receiver, as they are written and read.

use crate::{
    arc,
    budget::{Budget, Share},
    crypto::KNOWN,
    dkim,
    dmarc::{self, Disposition, Editions},
    message::MalformationKind,
    name::Domain,
    policy::Policy,
    spf::Limits,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::time::Duration;

/// Every setting that can change a verdict, by its public name; what is not given is the default.
#[derive(Serialize, Deserialize)]
#[serde(default)]
struct Shape {
    spf: Spf,
    dkim: Dkim,
    arc: Arc,
    dmarc: Dmarc,
    budget: BudgetShape,
}

#[derive(Serialize, Deserialize)]
#[serde(default)]
struct Spf {
    lookups: u8,
    void_lookups: u8,
    mx_hosts: u8,
    ptr_names: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(default)]
struct Dkim {
    algorithms: Vec<String>,
    min_rsa_bits: usize,
    max_signatures: usize,
    max_key_records: usize,
    /// In seconds.
    clock_skew: u64,
    accept_partial_body: bool,
    repaired_malformations: Vec<MalformationKind>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Arc {
    trusted_sealers: Vec<Domain>,
}

#[derive(Serialize, Deserialize)]
#[serde(default)]
struct Dmarc {
    editions: EditionsShape,
    sample: u8,
    max_author_domains: usize,
    unevaluated: Disposition,
}

/// RFC 7489 with the public suffix list that is built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum EditionsShape {
    Rfc9989,
    Rfc7489,
    Both,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(default)]
struct BudgetShape {
    helo: ShareShape,
    mail_from: ShareShape,
    dkim: ShareShape,
    arc: ShareShape,
    dmarc: ShareShape,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct ShareShape {
    questions: usize,
    octets: usize,
    signatures: usize,
    work: usize,
}

/// Where a part is not given.
impl Default for Shape {
    fn default() -> Self {
        Self::of(&Policy::default())
    }
}

impl Default for Spf {
    fn default() -> Self {
        Self::of(Limits::default())
    }
}

impl Default for Dkim {
    fn default() -> Self {
        Shape::default().dkim
    }
}

impl Default for Dmarc {
    fn default() -> Self {
        Self::of(&dmarc::Policy::default())
    }
}

impl Default for BudgetShape {
    fn default() -> Self {
        Self::of(Budget::default())
    }
}

impl Spf {
    fn of(Limits { lookups, void_lookups, mx_hosts, ptr_names }: Limits) -> Self {
        Self { lookups, void_lookups, mx_hosts, ptr_names }
    }
}

impl Dmarc {
    fn of(policy: &dmarc::Policy) -> Self {
        Self {
            editions: match policy.editions {
                Editions::Rfc9989 => EditionsShape::Rfc9989,
                Editions::Rfc7489(_) => EditionsShape::Rfc7489,
                Editions::Both(_) => EditionsShape::Both,
            },
            sample: policy.sample,
            max_author_domains: policy.max_author_domains,
            unevaluated: policy.unevaluated,
        }
    }
}

impl BudgetShape {
    fn of(Budget { helo, mail_from, dkim, arc, dmarc, .. }: Budget) -> Self {
        let [helo, mail_from, dkim, arc, dmarc] = [helo, mail_from, dkim, arc, dmarc].map(ShareShape::of);
        Self { helo, mail_from, dkim, arc, dmarc }
    }

    fn read(self) -> Budget {
        let Self { helo, mail_from, dkim, arc, dmarc } = self;
        let [helo, mail_from, dkim, arc, dmarc] = [helo, mail_from, dkim, arc, dmarc].map(ShareShape::read);
        Budget { helo, mail_from, dkim, arc, dmarc, ..Budget::default() }
    }
}

impl ShareShape {
    fn of(Share { questions, octets, signatures, work }: Share) -> Self {
        Self { questions, octets, signatures, work }
    }

    fn read(self) -> Share {
        let Self { questions, octets, signatures, work } = self;
        Share { questions, octets, signatures, work }
    }
}

impl Shape {
    fn of(policy: &Policy) -> Self {
        let Policy { spf, dkim, arc, dmarc, budget, .. } = policy;
        Self {
            spf: Spf::of(*spf),
            dkim: Dkim {
                algorithms: dkim.algorithms.iter().map(|algorithm| algorithm.name().to_owned()).collect(),
                min_rsa_bits: dkim.min_rsa_bits,
                max_signatures: dkim.max_signatures,
                max_key_records: dkim.max_key_records,
                clock_skew: dkim.clock_skew.as_secs(),
                accept_partial_body: dkim.accept_partial_body,
                repaired_malformations: dkim.repaired_malformations.clone(),
            },
            arc: Arc { trusted_sealers: arc.trusted_sealers.clone() },
            dmarc: Dmarc::of(dmarc),
            budget: BudgetShape::of(*budget),
        }
    }

    /// The settings; which of them this build does not have.
    fn read(self) -> Result<Policy, String> {
        let Self { spf, dkim, arc, dmarc, budget } = self;
        let Spf { lookups, void_lookups, mx_hosts, ptr_names } = spf;
        let algorithm = |name: &String| {
            let known = KNOWN.iter().copied().find(|algorithm| algorithm.name() == name);
            known.ok_or_else(|| format!("policy.dkim.algorithms: {name:?} is not known"))
        };
        Ok(Policy {
            spf: Limits { lookups, void_lookups, mx_hosts, ptr_names },
            dkim: dkim::Policy {
                algorithms: dkim.algorithms.iter().map(algorithm).collect::<Result<_, _>>()?,
                min_rsa_bits: dkim.min_rsa_bits,
                max_signatures: dkim.max_signatures,
                max_key_records: dkim.max_key_records,
                clock_skew: Duration::from_secs(dkim.clock_skew),
                accept_partial_body: dkim.accept_partial_body,
                repaired_malformations: dkim.repaired_malformations,
            },
            arc: arc::Policy { trusted_sealers: arc.trusted_sealers },
            dmarc: dmarc::Policy {
                sample: dmarc.sample,
                max_author_domains: dmarc.max_author_domains,
                unevaluated: dmarc.unevaluated,
                ..dmarc::Policy::by(editions(dmarc.editions)?)
            },
            budget: budget.read(),
            ..Policy::default()
        })
    }
}

#[cfg(feature = "psl")]
fn editions(editions: EditionsShape) -> Result<Editions, String> {
    let suffixes = || std::sync::Arc::new(dmarc::BuiltInSuffixes);
    Ok(match editions {
        EditionsShape::Rfc9989 => Editions::Rfc9989,
        EditionsShape::Rfc7489 => Editions::Rfc7489(suffixes()),
        EditionsShape::Both => Editions::Both(suffixes()),
    })
}

#[cfg(not(feature = "psl"))]
fn editions(editions: EditionsShape) -> Result<Editions, String> {
    match editions {
        EditionsShape::Rfc9989 => Ok(Editions::Rfc9989),
        EditionsShape::Rfc7489 | EditionsShape::Both => {
            Err("policy.dmarc.editions: RFC 7489 needs a public suffix list, which is not built in".to_owned())
        }
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Shape::of(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Shape::deserialize(deserializer)?.read().map_err(D::Error::custom)
    }
}
