//! What the tags of a DMARC record say otherwise than its owner may think, where receivers take it as it is.

use crate::{
    dmarc::{Disposition, Edition, IgnoredBecause, Mode, PolicyTag, PublicSuffix, Record, Request},
    finding::{Finding, RecordText, Rule, Severity, lowered, quoted, weaker},
    lex::Span,
    lint::{context::Context, scope::KeyName},
    name::{Name, shown},
};

/// The record that applies to a domain.
pub(super) struct OfRecord<'a, 'l> {
    pub(super) context: &'a Context<'l>,
    pub(super) text: RecordText<'a>,
    pub(super) record: &'a Record,
    /// Whether it is that of the organizational domain.
    pub(super) is_organizational: bool,
}

impl OfRecord<'_, '_> {
    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut found = lowered(&self.text, self.record, Edition::Rfc9989);
        found.extend(self.policy_none());
        found.extend(self.below());
        found.extend(self.ignored());
        found.extend(self.removed());
        found.extend(self.order());
        found.extend(self.suffix());
        found.extend(self.lists());
        found.extend(self.strict());
        found.extend(self.spf_only());
        found
    }

    pub(super) fn tag(&self, name: &str) -> Option<Span> {
        self.record.span_of(name).map(|tag| tag.whole())
    }

    pub(super) fn quoted(&self, name: &str) -> String {
        quoted(self.text.at(self.tag(name)))
    }

    pub(super) fn finding(&self, rule: Rule, tag: &str, says: &str, advice: &str) -> Finding {
        self.text.finding(rule, self.tag(tag), says, advice)
    }

    /// RFC 9989 §4.7, p.
    fn policy_none(&self) -> Option<Finding> {
        if self.record.policy != Request::Valid(Disposition::None) {
            return None;
        }
        let is_blind = self.record.aggregate_reports.is_empty();
        let (why, advice) = if is_blind {
            (
                "asks receivers to do nothing, and no rua= asks them to tell: the record has no effect",
                "Add rua=mailto: and an address, and later p=quarantine or p=reject.",
            )
        } else {
            (
                "asks receivers to do nothing with mail that fails",
                "Write p=quarantine or p=reject when the reports show that own mail passes.",
            )
        };
        let says = format!("{} {why}", self.quoted("p"));
        let finding = self.finding(Rule::DmarcPNone, "p", &says, advice);
        Some(if is_blind { Finding { severity: Severity::Warning, ..finding } } else { finding })
    }

    /// RFC 9989 §4.7, sp and np.
    fn below(&self) -> Vec<Finding> {
        let Record { policy, subdomain_policy, nonexistent_policy, .. } = self.record;
        let mut found = Vec::new();
        let stated = [("sp", subdomain_policy), ("np", nonexistent_policy)];
        if !self.is_organizational {
            for (tag, _) in stated.into_iter().filter(|(_, request)| **request != Request::Absent) {
                let says = format!(
                    "{} stands in a record below the organizational domain, where receivers pass it over",
                    self.quoted(tag)
                );
                found.push(self.finding(Rule::DmarcSpUseless, tag, &says, "Take it out."));
            }
            return found;
        }
        let Request::Valid(of_domain) = policy else { return found };
        let such_as = |label: &str| {
            let name = self.text.name.parent().and_then(|domain| domain.prepend(label).ok());
            name.map(|name| shown(&name)).unwrap_or_default()
        };
        let is_weaker = |request: &Request| matches!(request, Request::Valid(asked) if asked < of_domain);
        if is_weaker(subdomain_policy) {
            found.extend(weaker(&self.text, self.record, PolicyTag::Sp, &such_as("www")));
            if *nonexistent_policy == Request::Absent {
                let says =
                    format!("{} is for names that do not exist as well: anybody may invent one", self.quoted("sp"));
                let advice = format!("Add np={}.", of_domain.keyword());
                found.push(self.finding(Rule::DmarcNpAdvice, "sp", &says, &advice));
            }
        }
        if is_weaker(nonexistent_policy) {
            found.extend(weaker(&self.text, self.record, PolicyTag::Np, &such_as("invented")));
        }
        found
    }

    /// What is passed over, and a matter of style.
    fn ignored(&self) -> Vec<Finding> {
        let of = |ignored: &crate::dmarc::Ignored| {
            let text = self.text.at(ignored.span());
            match (ignored.why, ignored.tag.as_deref()) {
                (IgnoredBecause::UnknownTag, _) => {
                    let name = text.split(|octet| *octet == b'=').next().unwrap_or_default().trim_ascii();
                    let advice = match meant(name) {
                        Some(tag) => format!("Write {tag}=, if that was meant."),
                        None => "Take it out.".to_owned(),
                    };
                    let says = format!("{} is a tag that nobody knows: it is passed over", quoted(text));
                    Some(self.text.finding(Rule::DmarcUnknownTag, ignored.span(), &says, &advice))
                }
                (IgnoredBecause::MalformedValue, Some("fo")) => {
                    let says = format!("{} of {} is none of 0, 1, d and s", quoted(text), self.quoted("fo"));
                    Some(self.finding(Rule::DmarcFo, "fo", &says, "Take it out."))
                }
                _ => None,
            }
        };
        self.record.ignored.iter().filter_map(of).collect()
    }

    /// RFC 9989 §9.3, and §4.7, fo.
    fn removed(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        for tag in ["rf", "ri"].into_iter().filter(|tag| self.tag(tag).is_some()) {
            let says = format!("{} has been removed from DMARC: receivers pass it over", self.quoted(tag));
            found.push(self.finding(Rule::DmarcRfRi, tag, &says, "Take it out."));
        }
        let options = self.record.failure_options;
        if self.tag("fo").is_some() && self.record.failure_reports.is_empty() {
            let says = format!("{} says which failures are reported, and no ruf= says where", self.quoted("fo"));
            found.push(self.finding(Rule::DmarcFo, "fo", &says, "Take it out."));
        } else if options.all_fail && options.any_fails {
            let says = format!("{} has 0 and 1, which exclude each other", self.quoted("fo"));
            found.push(self.finding(Rule::DmarcFo, "fo", &says, "Write fo=1."));
        }
        found
    }

    /// RFC 7489 §6.3, p: it must stand second.
    fn order(&self) -> Option<Finding> {
        let policy = self.tag("p")?;
        let version = self.tag("v")?;
        let between = self.text.text.get(version.range().end..policy.offset())?;
        if between.iter().filter(|octet| **octet == b';').count() <= 1 {
            return None;
        }
        let says =
            format!("{} is not the second tag, where receivers that follow RFC 7489 expect it", self.quoted("p"));
        Some(self.finding(Rule::DmarcOrder, "p", &says, "Move it behind v=DMARC1."))
    }

    /// RFC 9989 §4.7, psd.
    fn suffix(&self) -> Option<Finding> {
        let domain = self.text.name.parent()?;
        // By the list of public suffixes it would not be below itself.
        if self.record.public_suffix != PublicSuffix::Yes || domain.label_count() < 2 || !self.context.is_own(&domain) {
            return None;
        }
        let says = format!(
            "{} says that others register names below {}, which then is no organizational domain for them",
            self.quoted("psd"),
            shown(&domain)
        );
        Some(self.finding(Rule::DmarcPsd, "psd", &says, "Take it out, unless it is so."))
    }

    /// RFC 9989 §7.4.
    fn lists(&self) -> Option<Finding> {
        let is_reject = self.record.policy == Request::Valid(Disposition::Reject);
        if !is_reject || self.context.takes_mail(self.context.domain()) != Some(true) {
            return None;
        }
        let says = format!(
            "{} has mail rejected as well that people send through mailing lists which change it",
            self.quoted("p")
        );
        let advice = "Have people write to lists from another domain, or write p=quarantine, where that matters.";
        Some(self.finding(Rule::DmarcLists, "p", &says, advice))
    }

    /// RFC 9989 §4.4.
    fn strict(&self) -> Vec<Finding> {
        let domain = self.context.domain();
        let below = |name: &&Name| name.is_at_or_below(domain) && *name != domain;
        let signer = self.context.scope.keys().iter().filter(|key| key.is_used()).map(|key| key.domain()).find(below);
        let path = self.context.scope.reverse_paths().iter().map(|path| path.as_name()).find(below);
        let of = |mode: Mode, tag: &str, name: Option<&Name>, what: &str| {
            let name = name.filter(|_| mode == Mode::Strict)?;
            let says = format!(
                "{} wants the very domain of From, and mail is {what} {}, which is below it",
                self.quoted(tag),
                shown(name)
            );
            Some(self.finding(Rule::DmarcStrict, tag, &says, &format!("Write {tag}=r, or take the tag out.")))
        };
        let found = [
            of(self.record.dkim_alignment, "adkim", signer, "signed by"),
            of(self.record.spf_alignment, "aspf", path, "sent from"),
        ];
        found.into_iter().flatten().collect()
    }
}

impl OfRecord<'_, '_> {
    /// RFC 9989 §7.4: who asks to reject must not rely on SPF alone, because it is lost where mail is forwarded.
    fn spf_only(&self) -> Option<Finding> {
        let Context { scope, .. } = self.context;
        let is_aligned = |key: &KeyName| key.is_used() && self.context.is_own(key.domain());
        let is_reject = self.context.enforced() == Disposition::Reject;
        if !scope.has_message() || !is_reject || scope.keys().iter().any(is_aligned) {
            return None;
        }
        let says = format!(
            "{} has mail rejected that fails, and the message that was given is not signed in the name of {}: forwarded, it is rejected",
            self.quoted("p"),
            shown(self.context.domain())
        );
        let advice = format!("Sign with DKIM in the name of {}.", shown(self.context.domain()));
        Some(self.finding(Rule::DmarcSpfOnly, "p", &says, &advice))
    }
}

/// The tag that was probably meant by a name that is none.
pub(super) fn meant(name: &[u8]) -> Option<&'static str> {
    const SLIPS: [(&str, &[&str]); 6] = [
        ("p", &["po", "policy", "pp", "pol", "action"]),
        ("rua", &["ruaa", "rau", "ura", "ru", "rufa", "reports"]),
        ("ruf", &["ruff", "rfu", "urf"]),
        ("sp", &["subdomain", "spp", "subpolicy"]),
        ("adkim", &["dkim", "akdim", "adkm"]),
        ("aspf", &["spf", "apsf"]),
    ];
    let is = |slip: &&str| name.eq_ignore_ascii_case(slip.as_bytes());
    SLIPS.iter().find(|(_, slips)| slips.iter().any(is)).map(|(tag, _)| *tag)
}
