//! Results of ARC, each with its reason.

use super::{set::ArcField, set_report::SetReport, trust::Trusted};
use crate::{
    budget::Exhausted,
    dkim::{DkimResult, SignatureError},
    dns::LookupError,
    lex::SyntaxError,
    message::Malformation,
    name::Domain,
};
use std::fmt;

/// What was found out about the ARC chain of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArcReport {
    /// The chain validation status and its reason.
    pub result: ArcResult,
    /// Number of ARC sets in the message, whole or not.
    pub instances: usize,
    /// The domains that the seals name, from instance 1 up, as far as they could be read; proven only where the chain passes.
    pub sealers: Vec<Domain>,
    /// The sets from instance 1 up; empty unless the chain passes (RFC 8617 §5.2: a chain that fails is to be treated as none).
    pub sets: Vec<SetReport>,
    /// What a trusted sealer reported; `None` where the chain does not pass or its newest sealer is not trusted.
    pub trusted: Option<Trusted>,
}

/// The chain validation status of RFC 8617 §4.4.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArcResult {
    /// The message has no ARC set.
    None,
    /// The chain is valid.
    Pass {
        /// The lowest instance whose ARC-Message-Signature, and every later one, still verifies (RFC 8617 §5.2, step 5); 0 where
        /// all do.
        oldest_pass: u8,
        /// Why the message signatures before `oldest_pass` were not verified, where the message used up its budget before.
        cut_off: Option<Exhausted>,
    },
    /// The chain is broken.
    Fail(FailReason),
}

/// The value of `cv=` (RFC 8617 §4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum ChainStatus {
    /// There was no chain when the sealer received the message.
    None,
    /// The chain that the sealer received was valid.
    Pass,
    /// The chain that the sealer received was broken.
    Fail,
}

/// Why the chain is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum FailReason {
    /// A field's instance cannot be read.
    Instance {
        /// Which kind of field.
        field: ArcField,
        /// The place of the field among all fields of the header, from 0 at the top.
        field_index: usize,
        /// What stands there, from the semicolon before it to the one behind it; printable, and cut where it is long.
        written: Box<str>,
        /// Where in its value, and what was expected there.
        error: SyntaxError,
    },
    /// A field has the instance 0; they begin at 1 (RFC 8617 §4.2.1).
    InstanceZero {
        /// Which kind of field.
        field: ArcField,
    },
    /// There are more than 50 sets (RFC 8617 §5.2, step 1).
    TooManySets {
        /// The first instance beyond 50.
        instance: u8,
    },
    /// A set has two fields of one kind (step 3A).
    Duplicate {
        /// The set.
        instance: u8,
        /// Which kind.
        field: ArcField,
    },
    /// A set lacks a field (step 3A).
    Missing {
        /// The set.
        instance: u8,
        /// Which kind.
        field: ArcField,
    },
    /// There are later sets, and none of this instance (step 3B).
    Gap {
        /// The instance that is missing.
        instance: u8,
    },
    /// The newest sealer found the chain broken and said so, `cv=fail` (step 2).
    MarkedFailed {
        /// The newest set.
        instance: u8,
    },
    /// `cv=` is not `none` in the first seal, or not `pass` in a later one (step 3C).
    ChainStatus {
        /// The set.
        instance: u8,
        /// What its seal says.
        found: ChainStatus,
    },
    /// A seal breaks a rule of RFC 6376 §3.5 or RFC 8617 §4.1.3.
    Seal {
        /// The set.
        instance: u8,
        /// Which rule.
        error: SignatureError,
    },
    /// A seal has a tag `h=` (RFC 8617 §4.1.3).
    FieldListInSeal {
        /// The set.
        instance: u8,
    },
    /// An ARC-Message-Signature claims to sign a seal (RFC 8617 §4.1.2).
    SealSigned {
        /// The set.
        instance: u8,
    },
    /// The header is malformed, so that readers disagree on what was signed and sealed (RFC 6376 §3.8, §8.15).
    MalformedHeader(Malformation),
    /// The newest ARC-Message-Signature does not verify (step 4).
    MessageSignature {
        /// The newest set.
        instance: u8,
        /// What a DKIM signature would have come to.
        result: DkimResult,
    },
    /// A seal does not verify (step 6).
    SealSignature {
        /// The set.
        instance: u8,
        /// What a DKIM signature would have come to.
        result: DkimResult,
    },
    /// A key could not be asked for. To RFC 8617 §5.2.1 that is a failure like any other; trying again may help.
    Lookup {
        /// The set.
        instance: u8,
        /// Whose key.
        field: ArcField,
        /// What went wrong.
        error: LookupError,
    },
    /// The message used up its budget before the field was verified, or one of its keys tried.
    OutOfBudget {
        /// The set.
        instance: u8,
        /// Which field.
        field: ArcField,
        /// Of what.
        exhausted: Exhausted,
    },
}

impl ArcReport {
    /// The report on a chain that is none, or none that holds.
    pub(super) fn without_chain(result: ArcResult) -> Self {
        Self { result, instances: 0, sealers: Vec::new(), sets: Vec::new(), trusted: None }
    }

    /// What aggregate reports say of a chain that passes (RFC 8617 §7.2.2); empty where none does.
    ///
    /// The address is that of the oldest set, where its sealer recorded it.
    pub fn report_comment(&self) -> String {
        let mut comment = match self.result {
            ArcResult::Pass { .. } => "arc=pass".to_owned(),
            ArcResult::None | ArcResult::Fail(_) => return String::new(),
        };
        for SetReport { instance, sealer, selector, .. } in self.sets.iter().rev() {
            comment += &format!(" as[{instance}].d={sealer} as[{instance}].s={selector}");
        }
        let first = self.sets.first().and_then(|set| set.results.as_ref());
        let ip = first
            .and_then(|results| results.of_method("arc").find_map(|arc| arc.property("smtp", "remote-ip")))
            .and_then(|ip| ip.parse::<std::net::IpAddr>().ok());
        if let Some(ip) = ip {
            comment += &format!(" remote-ip[1]={ip}");
        }
        comment
    }
}

impl ArcResult {
    /// The result's word in header fields and reports (RFC 8617 §10.1).
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass { .. } => "pass",
            Self::Fail(_) => "fail",
        }
    }

    /// Whether the failure is one of the DNS, so that trying again may help.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Fail(FailReason::Lookup { .. }) => true,
            Self::None | Self::Pass { .. } | Self::Fail(_) => false,
        }
    }
}

impl ChainStatus {
    /// The value of `cv=`.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for ArcResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("the message has no ARC set"),
            Self::Pass { oldest_pass, cut_off: Some(exhausted) } => write!(
                f,
                "every seal of the chain verifies; the message signatures before set {oldest_pass} were not verified: {exhausted}"
            ),
            Self::Pass { oldest_pass: 0, cut_off: None } => {
                f.write_str("every seal and every message signature of the chain verifies")
            }
            Self::Pass { oldest_pass, cut_off: None } => {
                write!(
                    f,
                    "every seal of the chain verifies; the message was changed before set {oldest_pass} was added"
                )
            }
            Self::Fail(reason) => reason.fmt(f),
        }
    }
}

/// What is wrong with what was written, in its own words (RFC 8617 §3.9, §4.2.1).
fn unreadable_instance(f: &mut fmt::Formatter<'_>, field: ArcField, written: &str, error: &SyntaxError) -> fmt::Result {
    let has_name = written.strip_prefix(['i', 'I']).is_some_and(|rest| rest.trim_start().starts_with('='));
    match (&*error.expected, field) {
        ("another tag than i", _) => write!(f, "\"{written}\" stands in it beside another i="),
        ("\";\"", _) => write!(f, "a semicolon is missing in \"{written}\""),
        (_, _) if has_name => write!(f, "\"{written}\" has no number of one or two digits"),
        (_, ArcField::AuthenticationResults) => {
            write!(f, "\"{written}\" stands where \"i=\" and a number belong")
        }
        ("instance", ArcField::MessageSignature | ArcField::Seal) => f.write_str("it has no tag i="),
        (_, ArcField::MessageSignature | ArcField::Seal) => {
            write!(f, "\"{written}\" is no tag, and no i= stands before it")
        }
    }
}

impl fmt::Display for FailReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance { field, written, error, .. } => {
                write!(f, "the instance of a field {field} cannot be read: ")?;
                unreadable_instance(f, *field, written, error)
            }
            Self::InstanceZero { field } => write!(f, "a field {field} has the instance 0; the first is 1"),
            Self::TooManySets { instance } => write!(f, "there is an instance {instance}; 50 sets are allowed"),
            Self::Duplicate { instance, field } => write!(f, "set {instance} has more than one field {field}"),
            Self::Missing { instance, field } => write!(f, "set {instance} has no field {field}"),
            Self::Gap { instance } => write!(f, "there is no set {instance}, though there are later ones"),
            Self::MarkedFailed { instance } => {
                write!(f, "the sealer of set {instance} found the chain broken (cv=fail)")
            }
            Self::ChainStatus { instance, found } => {
                let wanted = if *instance == 1 { "none" } else { "pass" };
                write!(f, "the seal of set {instance} says cv={}, where cv={wanted} must stand", found.keyword())
            }
            Self::Seal { instance, error } => write!(f, "the seal of set {instance} cannot be used: {error}"),
            Self::FieldListInSeal { instance } => {
                write!(f, "the seal of set {instance} has a tag h=, which is not allowed")
            }
            Self::SealSigned { instance } => {
                write!(f, "the message signature of set {instance} lists ARC-Seal in h=, which is not allowed")
            }
            Self::MalformedHeader(malformation) => malformation.fmt(f),
            Self::MessageSignature { instance, result } => {
                write!(f, "the message signature of set {instance} does not verify: {result}")
            }
            Self::SealSignature { instance, result } => {
                write!(f, "the seal of set {instance} does not verify: {result}")
            }
            Self::OutOfBudget { instance, field, exhausted } => {
                write!(f, "the field {field} of set {instance} was not verified: {exhausted}")
            }
            Self::Lookup { instance, field, error } => {
                write!(f, "the key of the field {field} of set {instance} could not be asked for: {error}")
            }
        }
    }
}
