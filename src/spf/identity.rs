//! The identities that SPF checks.

/// Which identity was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Identity {
    /// The argument of HELO or EHLO (RFC 7208 §2.3).
    Helo,
    /// The reverse-path (RFC 7208 §2.4).
    MailFrom,
}

impl Identity {
    /// The word of the `identity` key of Received-SPF (RFC 7208 §9.1).
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Helo => "helo",
            Self::MailFrom => "mailfrom",
        }
    }
}
