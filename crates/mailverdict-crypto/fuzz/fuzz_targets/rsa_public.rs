#![no_main]

#[path = "../../tests/support/properties.rs"]
#[allow(dead_code)]
mod properties;

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::rsa_public(data));
