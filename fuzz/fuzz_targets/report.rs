#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailverdict_fuzz::report(data));
