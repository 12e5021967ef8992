//! The words of aggregate reports: the enumerations of RFC 9990's schema, and what RFC 7489's had beside them.

use std::fmt;

/// An enumeration of the schema.
pub(super) trait Word: Copy + PartialEq + 'static {
    /// Its words, as they are written.
    const WORDS: &'static [(&'static str, Self)];
    /// Words that programs write in their place.
    const OTHERS: &'static [(&'static str, Self)] = &[];
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? } $($others:tt)*) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// The word of the schema.
            pub fn keyword(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl Word for $name {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$variant)),+];
            $($others)*
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.keyword())
            }
        }
    };
}

words! {
    /// What was done with the messages of a row (`ActionDispositionType`).
    Applied {
        /// Nothing.
        None = "none",
        /// Nothing, because DMARC passed under a policy that would have asked for more.
        Pass = "pass",
        /// They were marked for quarantine.
        Quarantine = "quarantine",
        /// They were refused.
        Reject = "reject",
    }
}

words! {
    /// Whether a mechanism gave an aligned pass (`DMARCResultType`).
    Aligned {
        /// It did.
        Pass = "pass",
        /// It did not.
        Fail = "fail",
    }
}

words! {
    /// A result of DKIM (RFC 8601 §2.7.1).
    DkimWord {
        /// The message was not signed.
        None = "none",
        /// The signature verifies.
        Pass = "pass",
        /// It does not.
        Fail = "fail",
        /// It is not acceptable to the receiver.
        Policy = "policy",
        /// It could not be processed.
        Neutral = "neutral",
        /// What may pass later.
        TempError = "temperror",
        /// What will not pass.
        PermError = "permerror",
    }
    const OTHERS: &'static [(&'static str, Self)] = &[("hardfail", Self::Fail)];
}

words! {
    /// A result of SPF (RFC 8601 §2.7.2).
    SpfWord {
        /// The domain publishes nothing.
        None = "none",
        /// The client is authorized.
        Pass = "pass",
        /// It is not.
        Fail = "fail",
        /// It is probably not.
        SoftFail = "softfail",
        /// The receiver's policy decided.
        Policy = "policy",
        /// The domain says nothing.
        Neutral = "neutral",
        /// What may pass later.
        TempError = "temperror",
        /// The record cannot be used.
        PermError = "permerror",
    }
    // The comments of RFC 7489, Appendix C, tell of the latter two.
    const OTHERS: &'static [(&'static str, Self)] =
        &[("hardfail", Self::Fail), ("error", Self::TempError), ("unknown", Self::PermError)];
}

words! {
    /// Which identity SPF looked at. RFC 9990 has `mfrom` alone.
    Scope {
        /// MAIL FROM.
        MailFrom = "mfrom",
        /// HELO.
        Helo = "helo",
    }
}

words! {
    /// How the record was found (`DiscoveryType`).
    DiscoveryMethod {
        /// By the public suffix list (RFC 7489).
        PublicSuffixList = "psl",
        /// By the tree walk (RFC 9989 §4.10).
        TreeWalk = "treewalk",
    }
}

words! {
    /// An alignment mode (`AlignmentType`).
    AlignmentMode {
        /// The same organizational domain.
        Relaxed = "r",
        /// The same domain.
        Strict = "s",
    }
}

words! {
    /// Whether the domain owner is testing (`TestingType`).
    Testing {
        /// No.
        No = "n",
        /// Yes.
        Yes = "y",
    }
}

words! {
    /// Why another disposition was applied than the policy's (`PolicyOverrideType`); the first two are of RFC 7489 alone.
    ReasonType {
        /// The message was forwarded.
        Forwarded = "forwarded",
        /// The message was not among those that `pct` chose.
        SampledOut = "sampled_out",
        /// The receiver's own policy.
        LocalPolicy = "local_policy",
        /// The message came by a mailing list.
        MailingList = "mailing_list",
        /// Another reason; the comment tells.
        Other = "other",
        /// The domain owner is testing.
        PolicyTestMode = "policy_test_mode",
        /// A forwarder that the receiver knows and trusts.
        TrustedForwarder = "trusted_forwarder",
    }
}

impl Word for crate::dmarc::Disposition {
    const WORDS: &'static [(&'static str, Self)] =
        &[("none", Self::None), ("quarantine", Self::Quarantine), ("reject", Self::Reject)];
}
