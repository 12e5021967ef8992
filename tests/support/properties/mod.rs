//! What holds whatever octets come: the targets of fuzzing (`fuzz/`), replayed by `cargo test`. Each takes octets and panics where
//! something does not hold.
#![allow(dead_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

mod changed;
mod evaluation;
#[path = "../evidence.rs"]
mod evidence;
mod grammar;
mod invented;
#[path = "../pieces.rs"]
mod pieces;
#[cfg(feature = "reports")]
#[path = "../read_pieces.rs"]
mod read_pieces;
#[path = "../ready.rs"]
mod ready;
#[cfg(feature = "reports")]
mod report;
mod seeds;
mod signing;
mod spans;
mod verdict;

pub(crate) use changed::change;
pub(crate) use evaluation::{arc_chain, authenticate, check_host, dkim_signed, lint};
pub(crate) use grammar::{
    authentication_results, dkim_signature, dmarc_record, key_record, macro_string, master_file, message, name,
    spf_record,
};
#[cfg(feature = "reports")]
pub(crate) use report::report;
pub(crate) use seeds::seeds;
pub(crate) use signing::sign;

use ready::now;

/// A file of evidence, whoever wrote it.
#[cfg(feature = "serde")]
pub(crate) fn evidence(data: &[u8]) {
    evidence::assert_reads(data);
}

/// Text for people: one line of printable ASCII, whatever strangers wrote.
fn assert_clean(text: impl std::fmt::Display) {
    let text = text.to_string();
    assert!(text.bytes().all(|octet| matches!(octet, b' '..=b'~')), "not printable ASCII: {text:?}");
}

/// A whole header field as the library writes it: one field, whatever strangers wrote.
fn assert_one_field(field: &str, name: &str) {
    let value = field.strip_prefix(name).and_then(|rest| rest.strip_prefix(": ")).expect("the name comes first");
    let value = value.strip_suffix("\r\n").expect("a CRLF ends it");
    for (index, line) in value.split("\r\n").enumerate() {
        assert!(line.len() <= 998, "a line of {} octets: {field:?}", line.len());
        assert!(!line.contains(|c: char| c.is_control() && c != '\t'), "a control character: {field:?}");
        assert!(index == 0 || line.starts_with([' ', '\t']), "a second field: {field:?}");
        assert!(!line.trim_matches([' ', '\t']).is_empty(), "an empty line: {field:?}");
    }
}
