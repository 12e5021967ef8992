//! The targets: properties that hold whatever octets come, shared with `cargo test`, which replays what was found.

#[path = "../../tests/support/properties/mod.rs"]
mod properties;

use mailverdict::fuzzing as door;

#[path = "../../tests/support/properties/inner.rs"]
mod inner;

macro_rules! targets {
    ($($room:ident: $($name:ident),*;)*) => {
        $($(
            /// The property of this name.
            pub fn $name(data: &[u8]) {
                $room::$name(data);
            }
        )*)*
    };
}

targets! {
    inner: canonicalize, mailbox_list, tag_list;
    properties: arc_chain, authenticate, authentication_results, change, check_host, dkim_signature, dkim_signed, dmarc_record, evidence,
        key_record, lint, macro_string, master_file, message, name, report, sign, spf_record;
}
