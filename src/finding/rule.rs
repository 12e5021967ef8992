//! The kinds of findings.

use super::{About, Severity};

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $rule:ident: $id:literal, $severity:ident, $about:ident, $reference:expr;)+) => {
        /// The kinds of findings. Their ids are a promise to scripts: none is ever renamed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[doc = $doc])+ $rule,)+
        }

        impl Rule {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$rule),+];

            /// The id, such as `header-duplicate`.
            pub fn id(self) -> &'static str {
                match self {
                    $(Self::$rule => $id,)+
                }
            }

            /// How much such a finding usually matters.
            pub fn severity(self) -> Severity {
                match self {
                    $(Self::$rule => Severity::$severity,)+
                }
            }

            /// What such a finding is about.
            pub fn about(self) -> About {
                match self {
                    $(Self::$rule => About::$about,)+
                }
            }

            /// The text that it rests on.
            pub fn reference(self) -> Option<&'static str> {
                match self {
                    $(Self::$rule => $reference,)+
                }
            }
        }
    };
}

rules! {
    /// A domain has no SPF record, because its name is an alias of what has none.
    SpfNone: "spf-none", Warning, Spf, Some("RFC 7208 §4.5");
    /// A domain has several SPF records.
    SpfMultiple: "spf-multiple", Error, Spf, Some("RFC 7208 §4.5");
    /// A text is nearly an SPF record, and so none.
    SpfNotARecord: "spf-not-a-record", Error, Spf, Some("RFC 7208 §4.5");
    /// An SPF record stands at another name than that of its domain.
    SpfWrongPlace: "spf-wrong-place", Error, Spf, Some("RFC 7208 §3");
    /// A term of an SPF record cannot be read.
    SpfSyntax: "spf-syntax", Error, Spf, Some("RFC 7208 §4.6");
    /// The name of a term is nearly that of a mechanism or a modifier.
    SpfMechanismTypo: "spf-mechanism-typo", Error, Spf, Some("RFC 7208 §4.6.1");
    /// Something other than blanks stands between terms, or nothing.
    SpfSeparator: "spf-separator", Error, Spf, Some("RFC 7208 §4.6.1");
    /// The value of `ip4:` is no network.
    SpfIp4: "spf-ip4", Error, Spf, Some("RFC 7208 §5.6");
    /// The value of `ip6:` is no network.
    SpfIp6: "spf-ip6", Error, Spf, Some("RFC 7208 §5.6");
    /// The prefix lengths of `a` or `mx` cannot be read.
    SpfCidr: "spf-cidr", Error, Spf, Some("RFC 7208 §5.3");
    /// What stands where a domain belongs is none.
    SpfDomainSpec: "spf-domain-spec", Error, Spf, Some("RFC 7208 §7.1");
    /// A macro cannot be read, or may not stand where it stands.
    SpfMacro: "spf-macro", Error, Spf, Some("RFC 7208 §7.1");
    /// `redirect=` or `exp=` stands twice.
    SpfDuplicateModifier: "spf-duplicate-modifier", Error, Spf, Some("RFC 7208 §6");
    /// A mechanism stands behind `all`.
    SpfAfterAll: "spf-after-all", Warning, Spf, Some("RFC 7208 §5.1");
    /// `redirect=` stands beside `all`.
    SpfRedirectUnused: "spf-redirect-unused", Warning, Spf, Some("RFC 7208 §6.1");
    /// A record has neither `all` nor `redirect=`.
    SpfNoEnd: "spf-no-end", Warning, Spf, Some("RFC 7208 §4.7");
    /// A record passes everybody.
    SpfPassAll: "spf-pass-all", Error, Spf, Some("RFC 7208 §5.1");
    /// A record ends in `?all`.
    SpfNeutralAll: "spf-neutral-all", Warning, Spf, Some("RFC 7208 §8.2");
    /// More terms ask the DNS than may.
    SpfLookups: "spf-lookups", Error, Spf, Some("RFC 7208 §4.6.4");
    /// More terms ask in vain than may.
    SpfVoid: "spf-void", Error, Spf, Some("RFC 7208 §4.6.4");
    /// An `mx` finds more hosts than it may.
    SpfMxLimit: "spf-mx-limit", Error, Spf, Some("RFC 7208 §4.6.4");
    /// A record has the mechanism `ptr`.
    SpfPtr: "spf-ptr", Warning, Spf, Some("RFC 7208 §5.5");
    /// The target of `include:` or `redirect=` has no record that can be read.
    SpfTargetNone: "spf-target-none", Error, Spf, Some("RFC 7208 §5.2");
    /// The target of `include:` or `redirect=` could not be asked.
    SpfTargetError: "spf-target-error", Error, Spf, Some("RFC 7208 §5.2");
    /// Records lead to each other in a circle.
    SpfLoop: "spf-loop", Error, Spf, Some("RFC 7208 §4.6.4");
    /// The target of an `include:` passes nobody.
    SpfIncludeNoEffect: "spf-include-no-effect", Warning, Spf, Some("RFC 7208 §5.2");
    /// A record allows an address that no client on the Internet has.
    SpfSpecialAddress: "spf-special-address", Warning, Spf, Some("RFC 6890");
    /// The answer with the record is larger than a packet.
    SpfSize: "spf-size", Warning, Spf, Some("RFC 7208 §3.4");
    /// Two terms are one, because character-strings are joined without a blank.
    SpfGluedStrings: "spf-glued-strings", Error, Spf, Some("RFC 7208 §3.3");
    /// An SPF record passes very many addresses.
    SpfPermissive: "spf-permissive", Warning, Spf, None;
    /// An SPF record ends in `~all`, and DMARC does not enforce.
    SpfSoftfail: "spf-softfail", Notice, Spf, Some("RFC 7208 §8.5");
    /// Nearly as many terms ask the DNS as may.
    SpfLookupsNear: "spf-lookups-near", Notice, Spf, Some("RFC 7208 §4.6.4");
    /// The bits of a network behind its prefix are not zero.
    SpfHostBits: "spf-host-bits", Notice, Spf, Some("RFC 7208 §5.6");
    /// The target of `include:` or `redirect=` does not exist, and could be registered by anybody.
    SpfDangling: "spf-dangling", Error, Spf, None;
    /// The same record is included twice.
    SpfDuplicateInclude: "spf-duplicate-include", Notice, Spf, Some("RFC 7208 §4.6.4");
    /// The `-all` of an included record does not end the record that includes it.
    SpfIncludeAllNotInherited: "spf-include-all-not-inherited", Notice, Spf, Some("RFC 7208 §5.2");
    /// A term matches nobody whom no term before it matches.
    SpfRedundant: "spf-redundant", Notice, Spf, None;
    /// A mail host sends over IPv6, and its IPv4 address alone is allowed.
    SpfIpv6Missing: "spf-ipv6-missing", Warning, Spf, Some("RFC 7208 §5.6");
    /// A record of Sender ID.
    SpfSenderId: "spf-senderid", Notice, Spf, Some("RFC 4406");
    /// A modifier that nobody knows.
    SpfUnknownModifier: "spf-unknown-modifier", Notice, Spf, Some("RFC 7208 §6");
    /// The explanation of `exp=` cannot be had.
    SpfExp: "spf-exp", Notice, Spf, Some("RFC 7208 §6.2");
    /// A term has the macro `p`.
    SpfPMacro: "spf-p-macro", Notice, Spf, Some("RFC 7208 §7.2");
    /// A term asks for a name that is another for each client or sender.
    SpfExistsOpaque: "spf-exists-opaque", Notice, Spf, Some("RFC 7208 §5.7");
    /// An SPF record stands at every name below a domain.
    SpfWildcard: "spf-wildcard", Notice, Spf, Some("RFC 7208 §3.5");
    /// A host that sends has no SPF record at its own name.
    SpfHelo: "spf-helo", Warning, Spf, Some("RFC 7208 §10.1.3");
    /// A domain without mail has no record that says so.
    SpfNoMail: "spf-no-mail", Warning, Spf, Some("RFC 7208 §10.1.2");
    /// No client from outside can have the client's address.
    ClientNotPublic: "client-not-public", Warning, Client, Some("RFC 6890");
    /// SPF does not pass for the client, and would for one before it.
    ClientOwnRelay: "client-own-relay", Notice, Client, None;
    /// The client came over IPv6, and the record has addresses of IPv4 alone.
    ClientIpv6OnlyIpv4: "client-ipv6-only-ipv4", Warning, Client, Some("RFC 7208 §5.6");
    /// HELO is no name that SPF could check.
    HeloNotAName: "helo-not-a-name", Warning, Client, Some("RFC 7208 §2.3");
    /// An Authentication-Results field claims to be the receiver's own.
    ResultsForged: "results-forged", Warning, Message, Some("RFC 8601 §5");
    /// The From field is not one of RFC 5322.
    FromMalformed: "from-malformed", Error, Message, Some("RFC 5322 §3.6.2");
    /// From names several author domains.
    FromManyDomains: "from-many-domains", Error, Message, Some("RFC 9989 §11.5");
    /// A field that must stand once stands more often.
    HeaderDuplicate: "header-duplicate", Warning, Message, Some("RFC 5322 §3.6");
    /// The header has line ends other than CRLF.
    HeaderBareLineEnd: "header-bare-line-end", Warning, Message, Some("RFC 5322 §2.2");
    /// The header has a NUL.
    HeaderNul: "header-nul", Warning, Message, Some("RFC 5322 §2.2");
    /// The name of a field has octets that no name may have.
    Header8bit: "header-8bit", Warning, Message, Some("RFC 5322 §2.2");
    /// A line of the header is no field.
    HeaderNotAField: "header-not-a-field", Warning, Message, Some("RFC 5322 §2.2");
    /// The separator of an mbox file stands before the header.
    HeaderMboxSeparator: "header-mbox-separator", Warning, Message, Some("RFC 5322 §2.2");
    /// Evidence that was to be redacted keeps a local part.
    EvidenceKept: "evidence-kept", Warning, Message, None;
    /// No empty line ends the header.
    HeaderUnterminated: "header-unterminated", Warning, Message, Some("RFC 5322 §2.1");
    /// The body has line ends other than CRLF.
    BodyBareLineEnd: "body-bare-line-end", Warning, Message, Some("RFC 5322 §2.3");
    /// A domain has no DMARC record, because the name of the record is an alias of what has none.
    DmarcNone: "dmarc-none", Warning, Dmarc, Some("RFC 9989 §4.10");
    /// Several DMARC records stand at one name.
    DmarcMultiple: "dmarc-multiple", Error, Dmarc, Some("RFC 9989 §4.10");
    /// A text was meant to be a DMARC record and is none.
    DmarcNotARecord: "dmarc-not-a-record", Error, Dmarc, Some("RFC 9989 §4.7");
    /// A DMARC record stands at another name than that of its domain.
    DmarcWrongPlace: "dmarc-wrong-place", Error, Dmarc, Some("RFC 9989 §4.5");
    /// A message passes by SPF alone, where the policy is to reject.
    DmarcSpfOnly: "dmarc-spf-only", Warning, Dmarc, Some("RFC 9989 §7.4");
    /// The author domain has more labels than the walk goes through, and no record of its own.
    DmarcDeep: "dmarc-deep", Warning, Dmarc, Some("RFC 9989 §5.1.8");
    /// The record has no `p`.
    DmarcPMissing: "dmarc-p-missing", Warning, Dmarc, Some("RFC 9989 §4.10.1");
    /// `p` states no policy.
    DmarcPBad: "dmarc-p-bad", Error, Dmarc, Some("RFC 9989 §4.10.1");
    /// A tag other than `p` has a value that it does not take.
    DmarcValueBad: "dmarc-value-bad", Warning, Dmarc, Some("RFC 9989 §4.8");
    /// A tag stands twice.
    DmarcDuplicateTag: "dmarc-duplicate-tag", Warning, Dmarc, Some("RFC 9989 §4.8");
    /// A member of `rua` or `ruf` is no URI to send reports to.
    DmarcUri: "dmarc-uri", Warning, Dmarc, Some("RFC 9989 §4.6");
    /// Reports are asked for by another scheme than `mailto`.
    DmarcScheme: "dmarc-scheme", Warning, Dmarc, Some("RFC 9989 §4.7");
    /// `t=y` lowers the policy.
    DmarcTesting: "dmarc-testing", Warning, Dmarc, Some("RFC 9989 §4.7");
    /// `pct` means something to some receivers only.
    DmarcPct: "dmarc-pct", Warning, Dmarc, Some("RFC 9989 A.6");
    /// Subdomains are less protected than the domain.
    DmarcSpWeaker: "dmarc-sp-weaker", Warning, Dmarc, Some("RFC 9989 §4.7");
    /// Subdomains that do not exist are less protected than the domain.
    DmarcNpWeaker: "dmarc-np-weaker", Warning, Dmarc, Some("RFC 9989 §4.7");
    /// RFC 9989 and RFC 7489 come to different ends.
    DmarcEditionsDiffer: "dmarc-editions-differ", Warning, Dmarc, Some("RFC 9989 §4.10; RFC 7489 §3.2");
    /// Texts other than a DMARC record stand at its name.
    DmarcUnrelated: "dmarc-unrelated", Notice, Dmarc, Some("RFC 9989 §4.10");
    /// `p=none`.
    DmarcPNone: "dmarc-p-none", Notice, Dmarc, Some("RFC 9989 §4.7");
    /// Names that do not exist are less protected than the domain, because `sp` is for them as well.
    DmarcNpAdvice: "dmarc-np-advice", Notice, Dmarc, Some("RFC 9989 §4.7");
    /// `sp` or `np` stands where it means nothing.
    DmarcSpUseless: "dmarc-sp-useless", Notice, Dmarc, Some("RFC 9989 §4.7");
    /// `rf` or `ri`.
    DmarcRfRi: "dmarc-rf-ri", Notice, Dmarc, Some("RFC 9989 §9.3");
    /// `fo` means nothing, or has letters that nobody knows.
    DmarcFo: "dmarc-fo", Notice, Dmarc, Some("RFC 9989 §4.7");
    /// A size stands behind a destination.
    DmarcSize: "dmarc-size", Notice, Dmarc, Some("RFC 9989 §4.8");
    /// More destinations than old receivers serve.
    DmarcManyUris: "dmarc-many-uris", Notice, Dmarc, Some("RFC 9989 C.7");
    /// The same destination twice.
    DmarcUriTwice: "dmarc-uri-twice", Notice, Dmarc, None;
    /// A destination of another organization has not agreed.
    DmarcExternal: "dmarc-external", Warning, Dmarc, Some("RFC 9990 §4");
    /// A destination takes no mail.
    DmarcRuaHost: "dmarc-rua-host", Warning, Dmarc, Some("RFC 9989 §5.1.3");
    /// No aggregate reports are asked for.
    DmarcNoRua: "dmarc-no-rua", Notice, Dmarc, Some("RFC 9989 §5.1.3");
    /// Failure reports are asked for.
    DmarcRuf: "dmarc-ruf", Notice, Dmarc, Some("RFC 9991 §2");
    /// A tag that nobody knows.
    DmarcUnknownTag: "dmarc-unknown-tag", Notice, Dmarc, Some("RFC 9989 §4.7");
    /// `p` is not the second tag.
    DmarcOrder: "dmarc-order", Notice, Dmarc, Some("RFC 7489 §6.3");
    /// People send from a domain whose policy is to reject.
    DmarcLists: "dmarc-lists", Notice, Dmarc, Some("RFC 9989 §7.4");
    /// Alignment is strict, and mail is signed by or sent from subdomains.
    DmarcStrict: "dmarc-strict", Notice, Dmarc, Some("RFC 9989 §4.4");
    /// `psd=y` at a domain that is no public suffix.
    DmarcPsd: "dmarc-psd", Warning, Dmarc, Some("RFC 9989 §4.7");
    /// No TXT record stands at the name of a key.
    DkimNone: "dkim-none", Error, Dkim, Some("RFC 6376 §6.1.2");
    /// The name of a key is an alias that leads to no TXT record.
    DkimCnameBroken: "dkim-cname-broken", Error, Dkim, None;
    /// Several TXT records stand at the name of a key.
    DkimMultiple: "dkim-multiple", Error, Dkim, Some("RFC 6376 §3.6.2.2");
    /// `v=` of a key record is another, or not first.
    DkimVersion: "dkim-version", Error, Dkim, Some("RFC 6376 §3.6.1");
    /// A key record cannot be read.
    DkimSyntax: "dkim-syntax", Error, Dkim, Some("RFC 6376 §3.6.1");
    /// A key record has no `p=`.
    DkimPMissing: "dkim-p-missing", Error, Dkim, Some("RFC 6376 §3.6.1");
    /// A key has been revoked.
    DkimRevoked: "dkim-revoked", Notice, Dkim, Some("RFC 6376 §3.6.1");
    /// `p=` is no base64.
    DkimPBase64: "dkim-p-base64", Error, Dkim, Some("RFC 6376 §3.6.1");
    /// `p=` ends before its key does.
    DkimPTruncated: "dkim-p-truncated", Error, Dkim, Some("RFC 6376 §3.6.2.2");
    /// `k=` names no type that is known, or `p=` is of another.
    DkimKeyType: "dkim-key-type", Error, Dkim, Some("RFC 8463 §4");
    /// A key of RSA is shorter than receivers may accept.
    DkimShort: "dkim-short", Error, Dkim, Some("RFC 8301 §3.2");
    /// A key of RSA is shorter than it should be.
    DkimWeak: "dkim-weak", Warning, Dkim, Some("RFC 8301 §3.2");
    /// A key of RSA is longer than receivers need take.
    DkimLong: "dkim-long", Warning, Dkim, Some("RFC 8301 §3.2");
    /// A key that nobody should use.
    DkimBadKey: "dkim-bad-key", Error, Dkim, None;
    /// `h=` of a key record does not allow sha256.
    DkimHash: "dkim-hash", Error, Dkim, Some("RFC 6376 §3.6.1");
    /// A key record is not for mail.
    DkimService: "dkim-service", Error, Dkim, Some("RFC 6376 §3.6.1");
    /// A key record says that the domain is testing DKIM.
    DkimTesting: "dkim-testing", Warning, Dkim, Some("RFC 6376 §3.6.1");
    /// A tag stands in a key record twice.
    DkimDuplicateTag: "dkim-duplicate-tag", Error, Dkim, Some("RFC 6376 §3.2");
    /// A key record has no `v=`.
    DkimNoV: "dkim-no-v", Notice, Dkim, Some("RFC 6376 §3.6.1");
    /// `t=s`.
    DkimStrictSubdomain: "dkim-strict-subdomain", Notice, Dkim, Some("RFC 6376 §3.6.1");
    /// A tag that means nothing in a key record.
    DkimUnknownTag: "dkim-unknown-tag", Notice, Dkim, Some("RFC 6376 §3.6.1");
    /// A key record stands at every selector.
    DkimWildcard: "dkim-wildcard", Warning, Dkim, None;
    /// The same key stands at several names.
    DkimSharedModulus: "dkim-shared-modulus", Notice, Dkim, None;
    /// A key has been in use for more than a year.
    DkimAge: "dkim-age", Notice, Dkim, None;
    /// All keys are of Ed25519.
    DkimEd25519Only: "dkim-ed25519-only", Warning, Dkim, Some("RFC 8463 §5");
    /// A record of ADSP or of DomainKeys.
    DkimAdsp: "dkim-adsp", Notice, Dkim, Some("RFC 5617");
    /// A signature names From once.
    SigFromOnce: "sig-from-once", Warning, Dkim, Some("RFC 6376 §8.15");
    /// A signature covers a part of the body.
    SigL: "sig-l", Warning, Dkim, Some("RFC 6376 §8.2");
    /// A signature is made by rsa-sha1.
    SigSha1: "sig-sha1", Error, Dkim, Some("RFC 8301 §3.1");
    /// A signature is made with a short key.
    SigShortKey: "sig-short-key", Error, Dkim, Some("RFC 8301 §3.2");
    /// A signature covers fields that change on the way.
    SigTraceFields: "sig-trace-fields", Warning, Dkim, Some("RFC 6376 §5.4");
    /// A signature leaves out fields that the message has.
    SigFields: "sig-fields", Warning, Dkim, Some("RFC 6376 §5.4.1");
    /// A signature is canonicalized so that it survives almost no change.
    SigFragile: "sig-fragile", Notice, Dkim, Some("RFC 6376 §3.4");
    /// A signature does not expire, or too soon, or too late.
    SigExpiry: "sig-expiry", Notice, Dkim, Some("RFC 6376 §3.5");
    /// A signature expired, and had not when the message was received.
    SignatureExpiredSince: "signature-expired-since", Notice, Dkim, Some("RFC 6376 §3.5");
    /// No signature aligns with From.
    SigNotAligned: "sig-not-aligned", Warning, Dkim, Some("RFC 9989 §4.4.1");
    /// The null MX stands beside others, or has a preference.
    MxNullMixed: "mx-null-mixed", Error, Mx, Some("RFC 7505 §3");
    /// A mail host is none that mail can be sent to.
    MxTarget: "mx-target", Error, Mx, Some("RFC 5321 §5.1");
    /// A domain that takes no mail stands in MAIL FROM.
    MxNullSender: "mx-null-sender", Warning, Mx, Some("RFC 7505 §4.2");
    /// The names of an address do not lead back to it.
    IpFcrdns: "ip-fcrdns", Warning, Client, Some("RFC 8601 §2.7.3");
    /// The name of a host looks like that of a customer's line.
    IpHelo: "ip-helo", Warning, Client, Some("RFC 5321 §4.1.1.1");
    /// A domain without mail does not say so everywhere.
    Parked: "parked", Warning, Dns, None;
    /// The record of MTA-STS cannot be used.
    StsRecord: "sts-record", Error, Tls, Some("RFC 8461 §3.1");
    /// The record of TLS-RPT cannot be used.
    TlsrptRecord: "tlsrpt-record", Error, Tls, Some("RFC 8460 §3");
    /// Reports about failures of TLS are to be sent to the domain whose TLS fails.
    TlsrptLoop: "tlsrpt-loop", Warning, Tls, Some("RFC 8460 §3");
    /// The record of BIMI cannot be used.
    BimiRecord: "bimi-record", Warning, Bimi, None;
    /// A question to the DNS has no answer.
    DnsUnanswered: "dns-unanswered", Warning, Dns, None;
    /// A server answers with a failure at a name of SPF, DKIM or DMARC.
    DnsFaults: "dns-faults", Error, Dns, None;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_is_one_of_its_own_in_lower_case() {
        let mut ids: Vec<_> = Rule::ALL.iter().map(|rule| rule.id()).collect();
        let is_plain = |id: &&str| id.bytes().all(|octet| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        assert!(ids.iter().all(is_plain));
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
    }
}
