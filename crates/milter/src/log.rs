//! The log: a line a message, to standard error.

use crate::config::{Log as Settings, LogFormat, LogLevel};
use mailverdict::time::UnixTime;
use serde::Serialize;
use std::{
    io::{self, Write as _},
    time::SystemTime,
};

/// What is told of a message.
#[derive(Clone, Debug, Default, Serialize)]
pub struct OfMessage {
    /// The mail server's id of it.
    pub queue_id: Option<String>,
    /// The client.
    pub ip: Option<String>,
    /// HELO.
    pub helo: Option<String>,
    /// MAIL FROM, `<>` for the null one.
    pub mail_from: Option<String>,
    /// The author domain.
    pub from_domain: Option<String>,
    /// The result of SPF for MAIL FROM, or for HELO.
    pub spf: Option<&'static str>,
    /// The best result of DKIM.
    pub dkim: Option<&'static str>,
    /// The result of ARC.
    pub arc: Option<&'static str>,
    /// The result of DMARC.
    pub dmarc: Option<&'static str>,
    /// What was done, or would have been in a dry run.
    pub action: &'static str,
    /// Why.
    pub reason: String,
    /// Whether nothing was done, because this is a dry run.
    pub dry_run: bool,
    /// Milliseconds from MAIL FROM to the decision.
    pub ms: u128,
}

/// Writes lines that are no less than a level.
#[derive(Clone, Copy, Debug)]
pub struct Log(pub Settings);

#[derive(Serialize)]
struct Line<'l, T> {
    time: String,
    level: &'static str,
    #[serde(flatten)]
    of: &'l T,
}

#[derive(Serialize)]
struct Event<'e> {
    event: &'e str,
}

impl Log {
    /// A message.
    pub fn message(&self, level: LogLevel, message: &OfMessage) {
        self.write(level, message);
    }

    /// Something else, in a sentence.
    pub fn event(&self, level: LogLevel, event: &str) {
        self.write(level, &Event { event });
    }

    fn write(&self, level: LogLevel, of: &impl Serialize) {
        if level < self.0.level {
            return;
        }
        let line = Line { time: UnixTime::from(SystemTime::now()).to_string(), level: level.keyword(), of };
        // What strangers wrote is in JSON strings, and these hold no line end.
        let line = match self.0.format {
            LogFormat::Json => serde_json::to_string(&line).unwrap_or_default(),
            LogFormat::Text => serde_json::to_value(&line).map(|line| text(&line)).unwrap_or_default(),
        };
        // Nothing more can be said where standard error is closed.
        let _ = io::stderr().lock().write_all(format!("{}\n", ascii(&line)).as_bytes());
    }
}

/// `name=value`, in quotes where it is no word; what does not apply is left out.
fn text(line: &serde_json::Value) -> String {
    const ORDER: [&str; 16] = [
        "time",
        "level",
        "event",
        "queue_id",
        "ip",
        "helo",
        "mail_from",
        "from_domain",
        "spf",
        "dkim",
        "arc",
        "dmarc",
        "action",
        "reason",
        "dry_run",
        "ms",
    ];
    let value = |name: &&str| {
        let value = line.get(name).filter(|value| !value.is_null())?;
        let is_word = |text: &str| {
            !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_graphic() && !b"\"\\=".contains(&octet))
        };
        Some(match value {
            serde_json::Value::String(text) if is_word(text) => format!("{name}={text}"),
            value => format!("{name}={value}"),
        })
    };
    ORDER.iter().filter_map(value).collect::<Vec<_>>().join(" ")
}

/// What is no ASCII, and what a terminal would obey, as JSON writes it.
fn ascii(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        if matches!(c, ' '..='~') {
            out.push(c);
        } else {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_hold_nothing_that_a_terminal_obeys() {
        let message =
            OfMessage { mail_from: Some("a\u{9b}\n\u{1f600}\"=".to_owned()), action: "none", ..OfMessage::default() };
        let line = Line { time: "t".to_owned(), level: "info", of: &message };
        let json = ascii(&serde_json::to_string(&line).unwrap());
        assert!(json.contains(r#""mail_from":"a\u009b\n\ud83d\ude00\"=""#), "{json}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["mail_from"], "a\u{9b}\n\u{1f600}\"=");
        let text = ascii(&text(&serde_json::to_value(&line).unwrap()));
        assert_eq!(
            text,
            r#"time=t level=info mail_from="a\u009b\n\ud83d\ude00\"=" action=none reason="" dry_run=false ms=0"#
        );
    }
}
