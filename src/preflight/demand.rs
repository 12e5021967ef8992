//! What large receivers ask of those who send to them, as they publish it: data with a date.

use std::fmt;

/// A receiver that publishes what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Receiver {
    /// Gmail.
    Gmail,
    /// Yahoo, with AOL.
    Yahoo,
    /// Outlook.com, with Hotmail and Live.
    Outlook,
    /// iCloud Mail.
    Apple,
}

impl Receiver {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Gmail, Self::Yahoo, Self::Outlook, Self::Apple];
}

/// As people call it.
impl fmt::Display for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gmail => "Gmail",
            Self::Yahoo => "Yahoo",
            Self::Outlook => "Outlook.com",
            Self::Apple => "iCloud Mail",
        })
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// SPF or DKIM passes.
    Authenticated,
    Spf,
    SpfRecord,
    Dkim,
    KeyLength,
    DmarcRecord,
    DmarcPasses,
    /// SPF or DKIM passes for a domain that aligns.
    Aligned,
    /// The address has a name that leads back to it, which the host gives in HELO.
    Ptr,
    Tls,
    SpamRate,
    Form,
    /// From is not in the receiver's own domains.
    ForeignFrom,
    /// The domains of From and MAIL FROM exist.
    Resolves,
    /// RFC 8058, in full.
    OneClick,
    /// The same, or an address of mail to unsubscribe.
    Unsubscribe,
}

/// One thing that one receiver asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    pub(super) id: &'static str,
    pub(super) receiver: Receiver,
    pub(super) is_bulk_only: bool,
    /// The SMTP reply to who does not do so, where one is published.
    pub(super) reply: Option<&'static str>,
    pub(super) what: What,
    pub(super) source: Source,
}

/// Where that is published, and the month of the text that was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) title: &'static str,
    pub(super) as_of: &'static str,
}

const GOOGLE: Source = Source { title: "Google, Email sender guidelines", as_of: "2026-03" };
const GOOGLE_CODES: Source = Source { title: "Google, SMTP error messages and codes", as_of: "2026-02" };
const YAHOO: Source = Source { title: "Yahoo, Sender best practices", as_of: "2025-04" };
const YAHOO_CODES: Source = Source { title: "Yahoo, SMTP error codes", as_of: "2026-02" };
const OUTLOOK: Source =
    Source { title: "Microsoft, Outlook.com requirements for high-volume senders", as_of: "2025-04" };
const POSTMASTER: Source = Source { title: "Microsoft, Outlook.com postmaster pages", as_of: "2026-06" };
const APPLE: Source = Source { title: "Apple, Postmaster information for iCloud Mail", as_of: "2025-02" };

const fn all(id: &'static str, receiver: Receiver, reply: Option<&'static str>, what: What, source: Source) -> Demand {
    Demand { id, receiver, is_bulk_only: false, reply, what, source }
}

const fn bulk(id: &'static str, receiver: Receiver, reply: Option<&'static str>, what: What, source: Source) -> Demand {
    Demand { id, receiver, is_bulk_only: true, reply, what, source }
}

/// All of them, by receiver. "Bulk" is 5,000 messages a day and more.
pub(super) const DEMANDS: &[Demand] = &[
    all("google-authenticated", Receiver::Gmail, Some("5.7.26"), What::Authenticated, GOOGLE_CODES),
    bulk("google-spf", Receiver::Gmail, Some("5.7.27"), What::Spf, GOOGLE_CODES),
    all("google-spf-record", Receiver::Gmail, Some("5.7.24"), What::SpfRecord, GOOGLE_CODES),
    bulk("google-dkim", Receiver::Gmail, Some("5.7.30"), What::Dkim, GOOGLE_CODES),
    bulk("google-dkim-key", Receiver::Gmail, Some("5.7.30"), What::KeyLength, GOOGLE),
    bulk("google-dmarc", Receiver::Gmail, Some("5.7.40"), What::DmarcRecord, GOOGLE_CODES),
    bulk("google-alignment", Receiver::Gmail, Some("5.7.32"), What::Aligned, GOOGLE_CODES),
    all("google-ptr", Receiver::Gmail, Some("5.7.25"), What::Ptr, GOOGLE_CODES),
    all("google-tls", Receiver::Gmail, Some("5.7.29"), What::Tls, GOOGLE_CODES),
    all("google-spam-rate", Receiver::Gmail, None, What::SpamRate, GOOGLE),
    all("google-form", Receiver::Gmail, Some("5.7.1"), What::Form, GOOGLE),
    all("google-own-domain", Receiver::Gmail, None, What::ForeignFrom, GOOGLE),
    bulk("google-unsubscribe", Receiver::Gmail, None, What::OneClick, GOOGLE),
    all("yahoo-authenticated", Receiver::Yahoo, Some("554"), What::Authenticated, YAHOO_CODES),
    bulk("yahoo-spf", Receiver::Yahoo, None, What::Spf, YAHOO),
    bulk("yahoo-dkim", Receiver::Yahoo, None, What::Dkim, YAHOO),
    bulk("yahoo-dkim-key", Receiver::Yahoo, None, What::KeyLength, YAHOO),
    bulk("yahoo-dmarc", Receiver::Yahoo, None, What::DmarcPasses, YAHOO),
    bulk("yahoo-alignment", Receiver::Yahoo, None, What::Aligned, YAHOO),
    all("yahoo-ptr", Receiver::Yahoo, None, What::Ptr, YAHOO),
    all("yahoo-spam-rate", Receiver::Yahoo, None, What::SpamRate, YAHOO),
    all("yahoo-form", Receiver::Yahoo, None, What::Form, YAHOO),
    all("yahoo-domains", Receiver::Yahoo, Some("554"), What::Resolves, YAHOO_CODES),
    bulk("yahoo-unsubscribe", Receiver::Yahoo, None, What::Unsubscribe, YAHOO),
    bulk("outlook-authenticated", Receiver::Outlook, Some("550 5.7.515"), What::Authenticated, OUTLOOK),
    bulk("outlook-spf", Receiver::Outlook, Some("550 5.7.515"), What::Spf, OUTLOOK),
    bulk("outlook-spf-record", Receiver::Outlook, None, What::SpfRecord, OUTLOOK),
    bulk("outlook-dkim", Receiver::Outlook, Some("550 5.7.515"), What::Dkim, OUTLOOK),
    bulk("outlook-dmarc", Receiver::Outlook, Some("550 5.7.515"), What::DmarcRecord, OUTLOOK),
    bulk("outlook-alignment", Receiver::Outlook, Some("550 5.7.515"), What::Aligned, OUTLOOK),
    all("outlook-ptr", Receiver::Outlook, None, What::Ptr, POSTMASTER),
    all("outlook-complaints", Receiver::Outlook, None, What::SpamRate, POSTMASTER),
    bulk("outlook-form", Receiver::Outlook, None, What::Form, OUTLOOK),
    bulk("outlook-unsubscribe", Receiver::Outlook, None, What::Unsubscribe, OUTLOOK),
    bulk("apple-spf", Receiver::Apple, None, What::Spf, APPLE),
    bulk("apple-dkim", Receiver::Apple, None, What::Dkim, APPLE),
    bulk("apple-dmarc", Receiver::Apple, None, What::DmarcRecord, APPLE),
    bulk("apple-ptr", Receiver::Apple, None, What::Ptr, APPLE),
];
