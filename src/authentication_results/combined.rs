//! The results of one service, from all its fields.

use super::{AuthenticationResults, FIELD_NAME};
use crate::message::Header;

impl AuthenticationResults {
    /// What all Authentication-Results fields of the service `authserv_id` say together, from the top of the header down, as a seal has it
    /// (RFC 8617 §4.1.1: "regardless of how many Authentication-Results header fields are attached"). `None` where there is none.
    ///
    /// Anyone can write such a field: those of strangers must have been removed when the message came in
    /// ([`TrustBoundary`](super::TrustBoundary)).
    ///
    /// ```
    /// use mailverdict::{authentication_results::AuthenticationResults, message::Header};
    /// let raw = b"Authentication-Results: mx.example.org; spf=pass\r\nAuthentication-Results: other.example; arc=pass\r\n\
    ///     Authentication-Results: mx.example.org; dmarc=pass\r\nFrom: a@a.example\r\n\r\n";
    /// let results = AuthenticationResults::combined(&Header::parse(raw)?, "mx.example.org").unwrap();
    /// let methods: Vec<&str> = results.results.iter().map(|result| &*result.method).collect();
    /// assert_eq!(methods, ["spf", "dmarc"]);
    /// # Ok::<(), mailverdict::message::MessageError>(())
    /// ```
    pub fn combined(header: &Header<'_>, authserv_id: &str) -> Option<Self> {
        let fields = header.fields().iter().filter(|field| field.is(FIELD_NAME));
        let own = fields
            .filter_map(|field| Self::parse(field.value()).ok())
            .filter(|field| field.authserv_id.eq_ignore_ascii_case(authserv_id));
        own.reduce(|mut all, field| {
            all.comments.extend(field.comments);
            all.results.extend(field.results);
            all.not_understood.extend(field.not_understood);
            all
        })
    }
}
