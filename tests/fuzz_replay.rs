//! Replays what fuzzing found (`tests/data/fuzz/`), and short and random inputs, through the properties that the targets of
//! `fuzz/` check. Those of rooms without a public door are replayed by the unit tests of `src/fuzzing.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/properties/mod.rs"]
mod properties;
#[path = "support/properties/replay.rs"]
mod replay;

#[test]
fn findings_and_made_inputs_hold() {
    replay::replay(&[
        ("arc_chain", properties::arc_chain),
        ("authenticate", properties::authenticate),
        ("authentication_results", properties::authentication_results),
        ("check_host", properties::check_host),
        ("dkim_signature", properties::dkim_signature),
        ("dkim_signed", properties::dkim_signed),
        ("dmarc_record", properties::dmarc_record),
        ("key_record", properties::key_record),
        ("macro_string", properties::macro_string),
        ("master_file", properties::master_file),
        ("message", properties::message),
        ("name", properties::name),
        ("spf_record", properties::spf_record),
    ]);
}
