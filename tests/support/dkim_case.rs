//! One case of `tests/data/dkim/*.yml`; README.md there tells its keys.

use super::{
    pieces::in_pieces,
    signer::{Key, SignOptions, signed},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use mailverdict::{
    Policy, Session,
    crypto::RSA_SHA1_REFERENCE,
    dkim::{self, SignatureReport},
    dns::{LookupError, RecordType, Zone},
    message::{MalformationKind, Message},
    name::Name,
    time::UnixTime,
};
use saphyr::Yaml;

const MESSAGE: &str = "From: Joe <joe@example.com>\nTo: you@example.net\nSubject: hello\n\nHi.\n";

/// When messages are received, where a case does not say.
const NOW: u64 = 1_800_000_000;

/// `pass`, or the keyword and the reason.
pub fn shown(report: &SignatureReport) -> String {
    match report.result.keyword() {
        "pass" => "pass".to_owned(),
        keyword => format!("{keyword}: {}", report.result),
    }
}

pub struct Case<'y>(pub &'y Yaml<'y>);

impl<'y> Case<'y> {
    fn get(&self, key: &str) -> Option<&'y Yaml<'y>> {
        self.0.as_mapping_get(key)
    }

    pub fn text(&self, key: &str) -> Option<&'y str> {
        self.get(key).map(|value| value.as_str().unwrap_or_else(|| panic!("{key} is no text: {value:?}")))
    }

    /// A text, or a list of them.
    pub fn list(&self, key: &str) -> Vec<String> {
        let text = |value: &Yaml<'_>| value.as_str().unwrap_or_else(|| panic!("{key}: no text: {value:?}")).to_owned();
        match self.get(key) {
            None => Vec::new(),
            Some(value) => {
                value.as_sequence().map_or_else(|| vec![text(value)], |list| list.iter().map(text).collect())
            }
        }
    }

    fn pairs(&self, key: &str) -> Vec<(String, String)> {
        let text = |value: &Yaml<'_>| value.as_str().unwrap_or_else(|| panic!("{key}: no text: {value:?}")).to_owned();
        self.get(key)
            .and_then(Yaml::as_mapping)
            .into_iter()
            .flatten()
            .map(|(name, value)| (text(name), text(value)))
            .collect()
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.get(key).map(|value| u64::try_from(value.as_integer().unwrap_or_else(|| panic!("{key}"))).unwrap())
    }

    /// `text`, `repeat` times.
    fn repeated(&self, text: &str) -> String {
        match self.get("repeat").map(Case) {
            None => text.to_owned(),
            Some(repeat) => {
                let times = usize::try_from(repeat.number("times").unwrap()).unwrap();
                text.replace("<>", &repeat.text("part").unwrap().repeat(times))
            }
        }
    }

    /// The message before it is signed.
    fn message(&self) -> Vec<u8> {
        match self.text("octets") {
            // Each character up to U+00FF is one octet.
            Some(octets) => self.repeated(octets).chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect(),
            None => {
                let message = self.repeated(self.text("message").unwrap_or(MESSAGE)).replace('\n', "\r\n");
                let author = format!("<joe@{}>", self.text("author").unwrap_or("example.com"));
                message.replace("<joe@example.com>", &author).into_bytes()
            }
        }
    }

    fn key_name(&self) -> &'y str {
        self.text("key").unwrap_or("rsa2048")
    }

    /// The template of the signature: the usual tags, as far as the case does not say otherwise.
    fn template(&self) -> String {
        if let Some(template) = self.text("sign") {
            return self.repeated(template);
        }
        let key = self.key_name();
        let algorithm = if key.starts_with("ed25519") { "ed25519-sha256" } else { "rsa-sha256" };
        let usual = [
            ("v", "1"),
            ("a", algorithm),
            ("c", "relaxed/relaxed"),
            ("d", "example.com"),
            ("s", key),
            ("h", "from:to:subject"),
            ("bh", "{bh}"),
            ("b", "{b}"),
        ];
        let mut tags: Vec<(String, String)> = usual.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let without = self.list("without");
        tags.retain(|(name, _)| !without.contains(name));
        for (name, value) in self.pairs("tags") {
            match tags.iter_mut().find(|(known, _)| *known == name) {
                Some(tag) => tag.1 = value,
                None => tags.insert(1, (name, value)),
            }
        }
        let template = tags.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        self.repeated(&template)
    }

    /// The message as it is received.
    pub fn received(&self) -> Vec<u8> {
        let mut message = self.message();
        let signatures = self.get("signatures").and_then(Yaml::as_sequence);
        let copies = self.number("copies").unwrap_or(1);
        if let Some(signatures) = signatures {
            for signature in signatures.iter().map(Case) {
                for _ in 0..signature.number("copies").unwrap_or(1) {
                    message = signature.sign(&message);
                }
            }
        } else {
            for _ in 0..copies {
                message = self.sign(&message);
            }
        }
        for (from, to) in self.pairs("change") {
            let octets = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<u8>>();
            let (from, to) = (octets(&from), octets(&to));
            let at = message.windows(from.len()).position(|part| part == from);
            let at = at.unwrap_or_else(|| panic!("nothing to change: {from:?}"));
            message.splice(at..at + from.len(), to);
        }
        message
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let template = self.template();
        let field_name = self.text("field_name").unwrap_or("DKIM-Signature");
        signed(message, &SignOptions { field_name, template: &template }, &Key::named(self.key_name()))
    }

    /// The keys of the case, and of its signatures.
    pub fn zone(&self) -> Zone {
        let fill = |text: &str, key: &str| {
            let mut text = self.repeated(text);
            if text.contains("{p") {
                let key = Key::named(self.text("record_key").unwrap_or(key));
                text = text.replace("{p}", &STANDARD.encode(key.public()));
                text = text.replace("{pkcs1}", &STANDARD.encode(key.public_pkcs1()));
            }
            text
        };
        let file = fill(self.text("zone").unwrap_or_default(), self.key_name());
        let mut zone = Zone::parse(file, "zone of the case").unwrap();
        let add = |zone: &mut Zone, case: &Case<'_>| {
            let key = case.key_name();
            let domain = Case(case.0).text("key_domain").unwrap_or("example.com");
            let name = Name::parse(&format!("{key}._domainkey.{domain}")).unwrap();
            match case.text("plant") {
                Some("timeout") => _ = zone.plant(&name, RecordType::Txt, LookupError::Timeout),
                Some("servfail") => _ = zone.plant(&name, RecordType::Txt, LookupError::ServerFailure),
                Some("nodata") => _ = zone.add_name(&name),
                Some(other) => panic!("cannot plant {other}"),
                None => {}
            }
            if case.get("records").is_some() {
                for record in case.list("records") {
                    zone.add_txt(&name, fill(&record, key).into_bytes());
                }
            } else if case.get("zone").is_none() && case.get("plant").is_none() {
                zone.add_txt(&name, Key::named(key).record().into_bytes());
            }
        };
        match self.get("signatures").and_then(Yaml::as_sequence) {
            Some(signatures) => signatures.iter().for_each(|signature| add(&mut zone, &Case(signature))),
            None => add(&mut zone, self),
        }
        zone
    }

    pub fn policy(&self) -> dkim::Policy {
        let mut policy = dkim::Policy::default();
        let Some(case) = self.get("policy").map(Case) else { return policy };
        let number = |key| case.number(key).map(|number| usize::try_from(number).unwrap());
        policy.max_signatures = number("max_signatures").unwrap_or(policy.max_signatures);
        policy.max_key_records = number("max_key_records").unwrap_or(policy.max_key_records);
        policy.min_rsa_bits = number("min_rsa_bits").unwrap_or(policy.min_rsa_bits);
        policy.accept_partial_body = case.get("accept_partial_body").is_some();
        for name in case.list("repaired") {
            let kind = MalformationKind::ALL.into_iter().find(|kind| format!("{kind:?}") == name);
            policy.repaired_malformations.push(kind.unwrap_or_else(|| panic!("no kind {name}")));
        }
        if let Some(seconds) = case.number("clock_skew") {
            policy.clock_skew = std::time::Duration::from_secs(seconds);
        }
        match case.text("algorithms") {
            Some("with rsa-sha1") => policy.algorithms.push(mailverdict::crypto::RSA_SHA1),
            Some("ed25519-sha256 alone") => policy.algorithms.retain(|algorithm| algorithm.key_type() == "ed25519"),
            Some(other) => panic!("{other}"),
            None => {}
        }
        policy
    }

    /// The policy with the budget of the case.
    fn whole_policy(&self, dkim: &dkim::Policy) -> Policy {
        let mut policy = Policy::default();
        policy.dkim = dkim.clone();
        if let Some(case) = self.get("budget").map(Case) {
            let number = |key| case.number(key).map(|number| usize::try_from(number).unwrap());
            let share = &mut policy.budget.dkim;
            share.signatures = number("signatures").unwrap_or(share.signatures);
            share.work = number("work").unwrap_or(share.work);
        }
        policy
    }

    /// The reports, from the top of the header down; any chunking of the body gives the same, whoever computes.
    pub fn reports(&self) -> Vec<SignatureReport> {
        let raw = self.received();
        let (zone, policy) = (self.zone(), self.policy());
        let message = Message::parse(&raw).unwrap();
        let at = UnixTime(self.number("at").unwrap_or(NOW));
        let verify = |policy: &dkim::Policy, chunk: usize| {
            let session = Session::without_peer().received_at(at);
            in_pieces(&zone, &self.whole_policy(policy), &message, session, chunk).dkim
        };
        let reports = verify(&policy, usize::MAX);
        assert_eq!(verify(&policy, 1), reports);
        assert_eq!(verify(&policy, 7), reports);
        let mut conservative = policy.clone();
        for algorithm in &mut conservative.algorithms {
            let mut others = dkim::Policy::conservative().algorithms.into_iter().chain([RSA_SHA1_REFERENCE]);
            *algorithm = others.find(|same| same.name() == algorithm.name()).unwrap();
        }
        assert_eq!(verify(&conservative, usize::MAX), reports);
        #[cfg(feature = "aws-lc-rs")]
        {
            use mailverdict::crypto::aws_lc::{ED25519_SHA256, RSA_SHA1, RSA_SHA256};
            let mut by_aws_lc = policy.clone();
            for algorithm in &mut by_aws_lc.algorithms {
                let same =
                    [RSA_SHA256, RSA_SHA1, ED25519_SHA256].into_iter().find(|same| same.name() == algorithm.name());
                *algorithm = same.unwrap_or(*algorithm);
            }
            assert_eq!(verify(&by_aws_lc, usize::MAX), reports);
            assert_eq!(verify(&policy.with_aws_lc(), usize::MAX), reports);
        }
        reports
    }

    /// How the results differ from those wanted.
    pub fn failures(&self) -> Vec<String> {
        let reports = self.reports();
        let mut failures = Vec::new();
        let mut compare = |what: &str, found: Vec<String>| {
            let wanted = self.list(what);
            if (what == "result" || self.get(what).is_some()) && found != wanted {
                failures.push(format!("{what}\n    found  {found:?}\n    wanted {wanted:?}"));
            }
        };
        compare("result", reports.iter().map(shown).collect());
        let raw = self.received();
        let message = Message::parse(&raw).unwrap();
        compare("diagnosis", reports.iter().flat_map(|report| report.diagnosis(&message)).collect());
        let identity = |report: &SignatureReport| report.signature.identity.as_deref().unwrap_or_default().to_owned();
        compare("identity", reports.iter().map(identity).collect());
        let domain =
            |report: &SignatureReport| report.signature.domain.as_ref().map_or(String::new(), ToString::to_string);
        compare("domain", reports.iter().map(domain).collect());
        let not_covered = reports.iter().flat_map(|report| report.not_covered.names().map(str::to_owned));
        compare("not_covered", not_covered.collect());
        failures
    }
}
