//! The stories of tests/data/microsoft365: who sent what from where, and what is to be said of it.
#![allow(dead_code, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use mailverdict::{Session, Verdict, spf::SpfReport};
use saphyr::{LoadableYamlNode, Yaml};
use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

pub struct Story {
    pub title: String,
    /// The file's name within the folder.
    pub message: String,
    pub ip: IpAddr,
    pub helo: String,
    pub mail_from: String,
    pub sign: Vec<Sign>,
    /// Paths into the JSON of `check`, and what is expected there; nothing for null.
    pub expect: Vec<(String, Option<String>)>,
}

/// How a DKIM-Signature field of a message is made.
pub enum Sign {
    /// With the key that stands in the zone for the domain.
    With { domain: String, selector: String, algorithm: String },
    /// Lifted from another message, octet for octet.
    SameAs { message: String },
}

pub fn folder() -> PathBuf {
    // The tests of more than one package know the stories.
    let below = |package: &Path| package.join("tests/data/microsoft365");
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    packages.map(below).find(|folder| folder.is_dir()).expect("the folder of the stories")
}

pub fn zone() -> mailverdict::dns::Zone {
    mailverdict::dns::Zone::read([folder().join("zone.db")]).unwrap_or_else(|error| panic!("{error}"))
}

pub fn stories() -> Vec<Story> {
    let text = fs::read_to_string(folder().join("stories.yml")).unwrap();
    Yaml::load_from_str(&text).unwrap().iter().map(Story::read).collect()
}

impl Story {
    fn read(yaml: &Yaml<'_>) -> Self {
        let text = |key: &str| scalar(&yaml[key]).unwrap_or_else(|| panic!("a story without {key}"));
        let sign = yaml.as_mapping_get("sign").and_then(Yaml::as_sequence).into_iter().flatten().map(Sign::read);
        let expect = yaml["expect"].as_mapping().unwrap().iter();
        Self {
            title: text("story"),
            message: text("message"),
            ip: text("ip").parse().unwrap(),
            helo: text("helo"),
            mail_from: text("mail_from"),
            sign: sign.collect(),
            expect: expect.map(|(path, value)| (scalar(path).unwrap(), scalar(value))).collect(),
        }
    }

    pub fn octets(&self) -> Vec<u8> {
        fs::read(folder().join(&self.message)).unwrap()
    }

    pub fn session(&self) -> Session {
        Session::new(self.ip).with_helo(&self.helo).with_mail_from(&self.mail_from)
    }

    /// What differs from the expectation when `found` tells what stands at a path.
    pub fn differences(&self, found: impl Fn(&str) -> Option<String>) -> Vec<String> {
        assert!(!self.expect.is_empty(), "{}: nothing is expected", self.title);
        let mut differences = Vec::new();
        for (path, expected) in &self.expect {
            let found = found(path);
            let same = match (expected, &found) {
                (Some(parts), Some(text)) if path.ends_with(".reason") => {
                    parts.split(" & ").all(|part| text.contains(part))
                }
                _ => *expected == found,
            };
            if !same {
                differences.push(format!("{}: {path}: expected {expected:?}, found {found:?}", self.title));
            }
        }
        differences
    }
}

impl Sign {
    fn read(yaml: &Yaml<'_>) -> Self {
        let text = |key: &str| yaml.as_mapping_get(key).and_then(scalar);
        match text("same_as") {
            Some(message) => Self::SameAs { message },
            None => Self::With {
                domain: text("domain").unwrap(),
                selector: text("selector").unwrap(),
                algorithm: text("algorithm").unwrap_or_else(|| "rsa-sha256".to_owned()),
            },
        }
    }
}

fn scalar(yaml: &Yaml<'_>) -> Option<String> {
    if let Some(text) = yaml.as_str() {
        return Some(text.to_owned());
    }
    if let Some(number) = yaml.as_integer() {
        return Some(number.to_string());
    }
    yaml.as_bool().map(|truth| truth.to_string())
}

/// What a verdict of the library has at a path of the command line's JSON.
pub fn in_verdict(verdict: &Verdict, path: &str) -> Option<String> {
    let steps: Vec<&str> = path.split('.').collect();
    match steps.as_slice() {
        ["spf", "helo", field] => in_spf(verdict.spf.helo.as_ref()?, field),
        ["spf", "mail_from", field] => in_spf(verdict.spf.mail_from.as_ref()?, field),
        ["dkim", "count"] => Some(verdict.dkim.len().to_string()),
        ["dkim", number, field] => {
            let report = verdict.dkim.get(number.parse::<usize>().unwrap())?;
            let signature = &report.signature;
            match *field {
                "result" => Some(report.result.keyword().to_owned()),
                "domain" => signature.domain.as_ref().map(ToString::to_string),
                "selector" => signature.selector.as_ref().map(ToString::to_string),
                "algorithm" => signature.algorithm.as_ref().map(ToString::to_string),
                "identity" => signature.identity.as_ref().map(ToString::to_string),
                "key_bits" => report.key.as_ref()?.bits.map(|bits| bits.to_string()),
                "reason" => Some(report.result.to_string()),
                other => panic!("no such field: dkim.{other}"),
            }
        }
        ["arc", "result"] => Some(verdict.arc.result.keyword().to_owned()),
        ["arc", "instances"] => Some(verdict.arc.instances.to_string()),
        ["dmarc", field] => {
            let dmarc = &verdict.dmarc;

            match *field {
                "result" => Some(dmarc.result.keyword().to_owned()),
                "from_domain" => dmarc.author_domain.as_ref().map(ToString::to_string),
                "organizational_domain" => dmarc.organizational_domain.as_ref().map(ToString::to_string),
                "policy_domain" => dmarc.policy_domain.as_ref().map(ToString::to_string),
                "policy" => dmarc.policy.map(|policy| policy.keyword().to_owned()),
                "disposition" => Some(dmarc.disposition.keyword().to_owned()),
                "spf_aligned" => Some(dmarc.spf_aligned().to_string()),
                "dkim_aligned" => Some(dmarc.dkim_aligned().to_string()),
                "reason" => Some(dmarc.result.to_string()),
                other => panic!("no such field: dmarc.{other}"),
            }
        }
        _ => panic!("no such path: {path}"),
    }
}

fn in_spf(report: &SpfReport, field: &str) -> Option<String> {
    match field {
        "result" => Some(report.result.keyword().to_owned()),
        "domain" => Some(report.domain().to_owned()),
        "explanation" => None,
        "matched" => report.result.matched().map(|matched| matched.directive().to_string()),
        "dns_lookups" => Some(report.dns_lookups.to_string()),
        "void_lookups" => Some(report.void_lookups.to_string()),
        "reason" => Some(report.result.to_string()),
        other => panic!("no such field: spf.{other}"),
    }
}

/// What JSON has at a path; `count` is the length of a list.
pub fn in_json(json: &serde_json::Value, path: &str) -> Option<String> {
    let mut value = json;
    for step in path.split('.') {
        value = match value {
            serde_json::Value::Array(list) if step == "count" => return Some(list.len().to_string()),
            serde_json::Value::Array(list) => list.get(step.parse::<usize>().unwrap())?,
            _ => value.get(step)?,
        };
    }
    match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
