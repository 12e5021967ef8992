//! Where the results of both sides differ, held against the differences that are known.

use super::{
    letters::Fault,
    side::Results,
    stream::{Mail, Stream},
};
use std::collections::BTreeMap;

/// A difference with a reason.
struct Known {
    what: &'static str,
    ours: &'static str,
    theirs: &'static [&'static str],
    /// For which messages it is one.
    of: fn(&Stream, usize) -> bool,
    why: &'static str,
}

fn has_footer(stream: &Stream, number: usize) -> bool {
    stream.letter(number).fault == Fault::Footer
}

fn has_typing_error(stream: &Stream, number: usize) -> bool {
    let domain = stream.domain(number);
    domain.has_typing_error && stream.letter(number).mail_from == domain.name
}

const KNOWN: [Known; 4] = [
    Known {
        what: "dkim",
        ours: "fail",
        theirs: &["neutral"],
        of: has_footer,
        why: "a body that was changed is a failure of the signature (RFC 6376 §6.1.3) here, and neutral there",
    },
    Known {
        what: "arc",
        ours: "fail",
        theirs: &["neutral"],
        of: has_footer,
        why: "the same for the newest ARC-Message-Signature (RFC 8617 §5.2)",
    },
    Known {
        what: "spf mailfrom",
        ours: "permerror",
        theirs: &["pass", "fail", "softfail", "neutral"],
        of: has_typing_error,
        why: "`ip4:192.0.2.256` is a syntax error and with it a permerror (RFC 7208 §4.6) here, and is passed over there",
    },
    Known { what: "dmarc", ours: "fail", theirs: &["pass"], of: has_typing_error, why: "what follows from it" },
];

/// How many examples of an unknown difference are told.
const EXAMPLES: usize = 3;

/// A message of the stream.
struct Of<'a> {
    stream: &'a Stream,
    number: usize,
}

/// Results of all messages, and what was different.
#[derive(Default)]
pub struct Comparison {
    /// How often each result came, on our side.
    results: BTreeMap<(&'static str, &'static str), usize>,
    known: BTreeMap<usize, usize>,
    unknown: BTreeMap<(&'static str, String, String), Vec<usize>>,
}

impl Comparison {
    /// Compares what came of a message.
    pub fn add(&mut self, stream: &Stream, mail: &Mail, ours: &Results, theirs: &Results) {
        let of = Of { stream, number: mail.number };
        let pairs = [
            ("spf helo", ours.helo, theirs.helo),
            ("spf mailfrom", ours.mail_from, theirs.mail_from),
            ("arc", ours.arc, theirs.arc),
            ("dmarc", ours.dmarc, theirs.dmarc),
        ];
        for (what, ours, theirs) in pairs {
            self.add_one(&of, what, ours, theirs);
        }
        if ours.dkim.len() == theirs.dkim.len() {
            for (ours, theirs) in ours.dkim.iter().zip(&theirs.dkim) {
                self.add_one(&of, "dkim", ours, theirs);
            }
        } else {
            let counted = |results: &[&str]| format!("{} results", results.len());
            self.differ(of.number, "dkim", counted(&ours.dkim), counted(&theirs.dkim));
        }
    }

    fn add_one(&mut self, of: &Of<'_>, what: &'static str, ours: &'static str, theirs: &'static str) {
        *self.results.entry((what, ours)).or_default() += 1;
        if ours == theirs {
            return;
        }
        let is_it = |known: &Known| {
            (known.what, known.ours) == (what, ours)
                && known.theirs.contains(&theirs)
                && (known.of)(of.stream, of.number)
        };
        match KNOWN.iter().position(is_it) {
            Some(known) => *self.known.entry(known).or_default() += 1,
            None => self.differ(of.number, what, ours.into(), theirs.into()),
        }
    }

    fn differ(&mut self, number: usize, what: &'static str, ours: String, theirs: String) {
        self.unknown.entry((what, ours, theirs)).or_default().push(number);
    }

    pub fn print(&self) {
        let mut line = String::new();
        for ((what, result), count) in &self.results {
            line += &format!("{}{what} {result} {count}", if line.is_empty() { "" } else { ", " });
        }
        println!("\nResults: {line}.\n");
        for (known, count) in &self.known {
            let Known { what, ours, theirs, why, .. } = &KNOWN[*known];
            println!("Known difference, {count} times: {what} {ours}, mail-auth {}: {why}.", theirs.join(" or "));
        }
        for ((what, ours, theirs), numbers) in &self.unknown {
            let examples = &numbers[..numbers.len().min(EXAMPLES)];
            println!("DIFFERENCE, {} times: {what} {ours}, mail-auth {theirs}: messages {examples:?}", numbers.len());
        }
    }

    /// Whether all differences are known ones, and everything that the day holds came: who does nothing is not measured.
    pub fn holds(&self) -> bool {
        let came = |what, result| self.results.contains_key(&(what, result));
        let passes = ["spf helo", "spf mailfrom", "dkim", "arc", "dmarc"].iter().all(|what| came(what, "pass"));
        self.unknown.is_empty()
            && passes
            && ["dkim", "arc", "dmarc", "spf mailfrom"].iter().all(|what| came(what, "fail"))
    }
}
