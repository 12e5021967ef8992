//! What is odd about a message, though it could be read.

use super::{FromError, FromText, LineEndings, Malformation};
use crate::name::Domain;
use std::borrow::Cow;

/// What is odd about a message, though it could be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Oddity {
    /// The header is malformed, so that readers disagree on what it says; the first of its kind.
    MalformedHeader(Malformation),
    /// Within a field stands a line of white space alone: obsolete folding (RFC 5322 §4.2), at which some readers end the header.
    BlankLineInField {
        /// Octets from the start of the message to the first one.
        offset: usize,
    },
    /// A field that must stand once (RFC 5322 §3.6) stands more often, and readers may show any of them.
    RepeatedField {
        /// Its name; not From, for which there is [`ManyFromFields`](Self::ManyFromFields).
        name: Cow<'static, str>,
        /// How often.
        count: u32,
    },
    /// There is no header field at all.
    NoField,
    /// The mailbox separator `From …` of an mbox file stands before the header; passed over.
    MboxSeparator,
    /// The header holds line ends other than CRLF.
    LineEndings(LineEndings),
    /// The body holds line ends other than CRLF; DKIM and ARC hash them as they stand.
    BodyLineEndings(LineEndings),
    /// There is no empty line after the header, and so no body (RFC 5322 §3.5).
    NoBody,
    /// The header has more than one From field (RFC 5322 §3.6 allows one).
    ManyFromFields {
        /// How many.
        count: usize,
    },
    /// The From fields name more than one author domain (RFC 9989 §5.3.1, §11.5).
    ManyAuthorDomains {
        /// How many distinct ones.
        count: usize,
        /// The first of them.
        domains: Box<[Domain]>,
        /// The first From field.
        value: Option<Box<FromText>>,
    },
    /// A From field does not follow the grammar of RFC 5322 §3.4.
    MalformedFrom {
        /// What is wrong with it.
        error: Box<FromError>,
    },
    /// Readers may see other From fields, because the header is malformed.
    DisputedFrom,
    /// No author domain could be read (RFC 9989 §5.3.1).
    NoAuthorDomain {
        /// The first From field; `None` where there is none.
        value: Option<Box<FromText>>,
    },
    /// The local part of an address in From holds an encoded word, which RFC 2047 §5 forbids; some readers decode it.
    EncodedLocalPart {
        /// Its beginning, with everything but printable ASCII escaped.
        local_part: Box<str>,
    },
}

impl std::fmt::Display for Oddity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MalformedHeader(malformation) => malformation.fmt(f),
            Self::BlankLineInField { offset } => {
                write!(
                    f,
                    "the line at octet {offset}, within a header field, is white space alone; some readers end the header there"
                )
            }
            Self::RepeatedField { name, count } => write!(f, "there are {count} {name} fields; one is allowed"),
            Self::NoField => f.write_str("the message has no header field"),
            Self::MboxSeparator => f.write_str("the separator line of an mbox file stands before the header"),
            Self::LineEndings(ends) => write!(
                f,
                "the header has {} bare LF and {} bare CR beside {} CRLF",
                ends.bare_lf, ends.bare_cr, ends.crlf
            ),
            Self::BodyLineEndings(ends) => write!(
                f,
                "the body has {} bare LF and {} bare CR beside {} CRLF",
                ends.bare_lf, ends.bare_cr, ends.crlf
            ),
            Self::NoBody => f.write_str("no empty line ends the header, so there is no body"),
            Self::ManyFromFields { count } => write!(f, "there are {count} From fields; one is allowed"),
            Self::ManyAuthorDomains { count, domains, value: _ } => {
                write!(f, "the From field names {count} author domains; one is expected")?;
                for (place, domain) in domains.iter().enumerate() {
                    write!(f, "{}{domain}", if place == 0 { ": " } else { ", " })?;
                }
                f.write_str(if domains.len() < *count { " and others" } else { "" })
            }
            Self::MalformedFrom { error } => write!(f, "the From field is malformed: {error}"),
            Self::DisputedFrom => f.write_str("readers may see other From fields, because the header is malformed"),
            Self::NoAuthorDomain { value: None } => f.write_str("the message has no From field"),
            Self::NoAuthorDomain { value: Some(value) } if value.text.is_empty() => {
                f.write_str("the From field is empty")
            }
            Self::NoAuthorDomain { value: Some(value) } => {
                write!(f, "no author domain could be read from the From field: {value}")
            }
            Self::EncodedLocalPart { local_part } => write!(
                f,
                "the local part \"{local_part}\" in the From field holds an encoded word, which some readers decode"
            ),
        }
    }
}
