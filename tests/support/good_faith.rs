//! Messages of good faith with whatever texts.
#![allow(dead_code, unreachable_pub)]

use proptest::{collection::vec, prelude::*, sample::select};

const NAMES: [&str; 8] = ["Subject", "To", "Date", "Reply-To", "X-Other", "Content-Type", "List-Id", "message-id"];

/// One author, each field once, and lines of printable ASCII.
pub fn messages() -> impl Strategy<Value = Vec<u8>> {
    let value = "[ -~]{0,60}(\r\n[ \t][!-~]{1,30})?";
    let fields = vec((select(&NAMES[..]), value), 0..8);
    let line = "[ -~\t]{0,80}\r\n";
    (fields, vec(line, 0..8), any::<bool>()).prop_map(|(fields, lines, ends)| {
        let mut raw = String::from("From: Alice <alice@contoso.com>\r\n");
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in fields {
            if !seen.contains(&name) {
                seen.push(name);
                raw += &format!("{name}: {value}\r\n");
            }
        }
        raw += "\r\n";
        raw += &lines.concat();
        if !ends {
            raw += "without an end";
        }
        raw.into_bytes()
    })
}
