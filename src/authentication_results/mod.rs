//! The Authentication-Results field, RFC 8601: how a verdict travels with the message.
//!
//! ```
//! use mailverdict::authentication_results::{AuthenticationResults, MethodResult};
//! let mut field = AuthenticationResults::none("mx.example.org");
//! assert_eq!(field.to_header_field(), "Authentication-Results: mx.example.org; none\r\n");
//! field.results.push(MethodResult::new("spf", "pass").with_property("smtp", "mailfrom", "example.com"));
//! assert_eq!(
//!     field.to_header_field(),
//!     "Authentication-Results: mx.example.org;\r\n    spf=pass smtp.mailfrom=example.com\r\n"
//! );
//! ```

mod combined;
mod describe;
mod fold;
mod forged;
mod format;
mod parse;
mod removal;

pub(crate) use self::{
    describe::{Describe, MAX_REASON_LEN, Results, shown_reason},
    format::FieldWriter,
    parse::arc_info,
};

pub use forged::{Forged, ForgedReason, TrustBoundary, strip_forged};

use crate::text::Text;
use std::{borrow::Cow, net::IpAddr};

/// The name of the field (RFC 8601 §2.1).
pub const FIELD_NAME: &str = "Authentication-Results";

/// Octets of the field that is written for a verdict, unless another number is given; mail servers keep fields of that length.
pub const MAX_OCTETS: usize = 8192;

/// The content of one Authentication-Results field (RFC 8601 §2.2).
///
/// All texts are decoded: without quotes, quoted pairs, comments' parentheses and folding. Whatever they hold, the field that is
/// written from them is one field: octets that could end it are written as escapes.
///
/// `Display` gives the value as it stands after `Authentication-Results: `, folded, without the line end after it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct AuthenticationResults {
    /// Who evaluated (RFC 8601 §2.5); empty where a sender left it out, against the grammar.
    pub authserv_id: Box<str>,
    /// The version of the field's syntax (RFC 8601 §2.6); none means 1.
    pub version: Option<u32>,
    /// Comments that belong to no result, in their order.
    pub comments: Vec<Box<str>>,
    /// The results, in their order; empty is written as `none`.
    pub results: Vec<MethodResult>,
    /// What stood between two semicolons and is no result, unfolded, as it was written.
    pub not_understood: Vec<Box<str>>,
}

/// One result: `resinfo` of RFC 8601 §2.2.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MethodResult {
    /// The method, such as `dkim`, in lower case.
    pub method: Cow<'static, str>,
    /// The version of the method (RFC 8601 §2.6); none means 1.
    pub version: Option<u32>,
    /// The result, such as `pass`, in lower case.
    pub result: Cow<'static, str>,
    /// Comments anywhere in this result, in their order.
    pub comments: Vec<Box<str>>,
    /// `reason=`.
    pub reason: Option<Text>,
    /// What was evaluated, in its order.
    pub properties: Vec<Property>,
    /// Words that are neither a reason nor a property, such as `action=none`, in their order.
    pub not_understood: Vec<Box<str>>,
}

/// What was evaluated: `propspec` of RFC 8601 §2.2, as in `header.d=example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Property {
    /// Where it comes from (RFC 8601 §2.3): `smtp`, `header`, `body` or `policy`; in lower case.
    pub ptype: Cow<'static, str>,
    /// What it is, such as `mailfrom`, in lower case.
    pub property: Cow<'static, str>,
    /// Its value.
    pub value: Text,
}

impl AuthenticationResults {
    /// The field that says that nothing was evaluated (RFC 8601 §2.2, `no-result`).
    pub fn none(authserv_id: &str) -> Self {
        Self {
            authserv_id: authserv_id.into(),
            version: None,
            comments: Vec::new(),
            results: Vec::new(),
            not_understood: Vec::new(),
        }
    }

    /// The same with the address of the client in the result of ARC, as `smtp.remote-ip` (RFC 8617 §6).
    #[must_use]
    pub fn with_remote_ip(mut self, peer_ip: IpAddr) -> Self {
        for result in self.results.iter_mut().filter(|result| &*result.method == "arc") {
            result.properties.retain(|property| !property.is("smtp", "remote-ip"));
            result.properties.push(Property::new("smtp", "remote-ip", Text::of(&peer_ip)));
        }
        self
    }

    /// The results of one method, named in lower case.
    pub fn of_method<'s>(&'s self, method: &'s str) -> impl Iterator<Item = &'s MethodResult> {
        self.results.iter().filter(move |result| &*result.method == method)
    }
}

impl MethodResult {
    /// A result without reason and properties.
    pub fn new(method: impl Into<Cow<'static, str>>, result: impl Into<Cow<'static, str>>) -> Self {
        Self {
            method: method.into(),
            version: None,
            result: result.into(),
            comments: Vec::new(),
            reason: None,
            properties: Vec::new(),
            not_understood: Vec::new(),
        }
    }

    /// The same with one more property.
    #[must_use]
    pub fn with_property(
        mut self,
        ptype: impl Into<Cow<'static, str>>,
        property: impl Into<Cow<'static, str>>,
        value: impl Into<Text>,
    ) -> Self {
        self.properties.push(Property::new(ptype, property, value));
        self
    }

    /// The same with a reason.
    #[must_use]
    pub fn with_reason(self, reason: impl Into<Text>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }

    /// The same with one more comment.
    #[must_use]
    pub fn with_comment(mut self, comment: &str) -> Self {
        self.comments.push(comment.into());
        self
    }

    /// The value of the first such property, if there is one.
    pub fn property(&self, ptype: &str, property: &str) -> Option<&str> {
        self.properties.iter().find(|candidate| candidate.is(ptype, property)).map(|found| &*found.value)
    }
}

impl Property {
    /// A property with its value.
    pub fn new(
        ptype: impl Into<Cow<'static, str>>,
        property: impl Into<Cow<'static, str>>,
        value: impl Into<Text>,
    ) -> Self {
        Self { ptype: ptype.into(), property: property.into(), value: value.into() }
    }

    /// Whether this is `ptype.property`, in lower case.
    pub fn is(&self, ptype: &str, property: &str) -> bool {
        &*self.ptype == ptype && &*self.property == property
    }
}
