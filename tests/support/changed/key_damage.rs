//! What is done to keys and to signatures, and what only time does.

use super::{Damage, NOW, Signed, Signer, body_damage, mail::Shape, record};
use crate::support::signer::Key;

const RSA: &[Signer] = &[Signer::Relaxed, Signer::Simple];

/// The key record with something done to its text.
fn with_record(signed: &mut Signed, change: impl Fn(String) -> String) {
    let key = signed.signer.key();
    signed.zone = record("contoso.com", key, &change(Key::named(key).record()));
}

fn mistype(signed: &mut Signed) {
    let way = signed.random.below(6);
    with_record(signed, |text| match way {
        0 => text.replace("; ", "\\; "),
        1 => format!("\"{text}\""),
        2 => text.replace(';', ","),
        3 => text.replace("p=", "p=-----BEGIN PUBLIC KEY-----") + "-----END PUBLIC KEY-----",
        4 => text.replace("p=", "p=p="),
        _ => text.replace("v=DKIM1", "v=dkim1"),
    });
}

fn replace_signature(signed: &mut Signed, change: impl Fn(&str) -> String) {
    let value = signed.mail.value("DKIM-Signature").to_owned();
    let (before, b) = value.rsplit_once("b=").unwrap();
    signed.mail.set("DKIM-Signature", &format!("{before}b={}", change(b)));
}

pub const DAMAGES: &[Damage] = &[
    Damage { kinds: &["key-missing"], after: |signed| signed.zone.clear(), ..Damage::NONE },
    Damage {
        kinds: &["key-missing"],
        after: |signed| with_record(signed, |_| "v=spf1 include:_spf.contoso.com -all".to_owned()),
        ..Damage::NONE
    },
    Damage {
        kinds: &["key-missing"],
        after: |signed| {
            signed.zone = format!("{}._domainkey.contoso.com. CNAME gone.fabrikam.com.\n", signed.signer.key())
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["key-revoked"],
        after: |signed| with_record(signed, |text| text.split("p=").next().unwrap().to_owned() + "p="),
        ..Damage::NONE
    },
    Damage { kinds: &["key-typo"], after: mistype, ..Damage::NONE },
    Damage {
        kinds: &["key-truncated"],
        signers: RSA,
        after: |signed| {
            let most = signed.random.pick(&[255, 250, 200, 120]);
            with_record(signed, |text| text[..most].to_owned());
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["wrong-key"],
        signers: RSA,
        after: |signed| {
            let other = signed.random.pick(&["rsa1024", "rsa4096"]);
            with_record(signed, |_| Key::named(other).record());
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["wrong-key"],
        signers: RSA,
        after: |signed| with_record(signed, |_| Key::named("ed25519").record()),
        ..Damage::NONE
    },
    Damage {
        kinds: &["signature-damaged"],
        signers: RSA,
        after: |signed| replace_signature(signed, |b| b[..200].to_owned()),
        ..Damage::NONE
    },
    Damage {
        kinds: &["expired-since"],
        tags: "x=1759738550;",
        after: |signed| signed.at = NOW + 100_000,
        ..Damage::NONE
    },
];

/// Unproven: the key has the right length and opens nothing.
pub const UNPROVEN: &[Damage] = &[
    Damage {
        kinds: &["wrong-key"],
        signers: RSA,
        after: |signed| with_record(signed, |_| Key::named("rsa2048-other").record()),
        ..Damage::NONE
    },
    Damage {
        kinds: &["changed-after-receiver"],
        after: |signed| {
            body_damage::append(signed);
            let result = " mx.fabrikam.com; dkim=pass header.d=contoso.com";
            signed.mail.fields.insert(0, ("Authentication-Results".to_owned(), result.to_owned()));
            let hop = " from mail.contoso.com (mail.contoso.com [192.0.2.1]) by mx.fabrikam.com; Mon, 6 Oct 2025 08:15:05 +0000";
            signed.mail.fields.insert(0, ("Received".to_owned(), hop.to_owned()));
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["changed-before-sealer"],
        after: |signed| {
            body_damage::append(signed);
            signed.sign("fabrikam.com", "");
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["changed-after-sealer"],
        after: |signed| {
            signed.sign("fabrikam.com", "");
            body_damage::append(signed);
        },
        ..Damage::NONE
    },
    Damage { kinds: &["store-rewrote", "unknown"], shapes: super::TEXT, after: store, ..Damage::NONE },
    Damage { kinds: &["body-empty"], after: |signed| signed.mail.body.clear(), ..Damage::NONE },
    Damage {
        kinds: &["body-truncated"],
        shapes: &[Shape::Mixed, Shape::Alternative],
        after: |signed| {
            let len = signed.mail.body.len();
            signed.mail.body.truncate(len / 2);
        },
        ..Damage::NONE
    },
];

/// As Exchange composes it anew: words stay, and nothing else does.
fn store(signed: &mut Signed) {
    let words: Vec<u8> = signed.mail.body.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
    signed.mail.body = [&words[..], b"\r\n"].concat();
    signed.mail.set("X-MS-Has-Attach", "");
    signed.mail.set("X-MS-TNEF-Correlator", "");
}

/// What happens at once.
pub const PAIRS: &[Damage] = &[
    Damage {
        kinds: &["key-missing", "body-appended"],
        after: |signed| {
            signed.zone.clear();
            body_damage::append(signed);
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["expired-since", "body-appended"],
        tags: "x=1759738550;",
        after: |signed| {
            signed.at = NOW + 100_000;
            body_damage::append(signed);
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["key-typo", "body-prepended"],
        shapes: super::TEXT,
        after: |signed| {
            mistype(signed);
            body_damage::prepend(signed);
        },
        ..Damage::NONE
    },
];
