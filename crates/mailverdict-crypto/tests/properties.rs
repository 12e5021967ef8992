//! The properties that fuzzing checks hold for what it once found (`tests/data/fuzz/`, where there is any), and for short and random octets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/properties.rs"]
mod properties;
#[path = "../../../tests/support/properties/replay.rs"]
mod replay;

#[test]
fn findings_and_made_inputs_hold() {
    replay::replay(&[("rsa_public", properties::rsa_public), ("ed25519", properties::ed25519)]);
}
