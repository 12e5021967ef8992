//! What is done to headers, and to headers and bodies at once.

use super::{
    Damage, Signed, Signer, TEXT, body_damage,
    mail::{Mail, Shape, line},
    random::Random,
};
use crate::support::signer::{Hash, Key};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::Digest as _;

/// Those whose signatures can be opened.
const RSA: &[Signer] = &[Signer::Relaxed, Signer::Simple];

pub fn tag(signed: &mut Signed) {
    let tag = signed.random.pick(&["[list] ", "[EXTERNAL] ", "[Members-2025] ", "[EXT]", "[Contoso Dev] "]);
    let subject = signed.mail.value("Subject").trim_start().to_owned();
    signed.mail.set("Subject", &format!(" {tag}{subject}"));
}

pub fn prefix(signed: &mut Signed) {
    let prefix = signed.random.pick(&[
        "EXTERN: ",
        "EXTERNAL: ",
        "*** SPAM *** ",
        "(Extern) ",
        "Fwd: ",
        "{Spam?} ",
        "Suspected phishing - ",
    ]);
    let subject = signed.mail.value("Subject").trim_start().to_owned();
    signed.mail.set("Subject", &format!(" {prefix}{subject}"));
}

/// As lists do, without a field that is signed as absent.
fn rewrite_from_alone(signed: &mut Signed) {
    let former = signed.mail.value("From").trim().to_owned();
    let kept = signed.random.pick(&["X-Original-From", "X-Google-Original-From", "Original-From", "Old-From"]);
    signed.mail.set("From", " Alice Example via List <list@lists.fabrikam.com>");
    signed.mail.set(kept, &format!(" {former}"));
}

fn add_field(signed: &mut Signed) {
    let (name, value) = signed.random.pick(&[
        ("Reply-To", " list@lists.fabrikam.com"),
        ("Sender", " list-bounces@lists.fabrikam.com"),
        ("List-Id", " List <list.lists.fabrikam.com>"),
        ("Cc", " dave@fabrikam.com"),
        ("List-Unsubscribe", " <https://lists.fabrikam.com/u>"),
    ]);
    signed.mail.fields.push((name.to_owned(), value.to_owned()));
}

fn remove_field(signed: &mut Signed) {
    let name = signed.random.pick(&["MIME-Version", "Content-Transfer-Encoding", "Reply-To"]);
    signed.mail.remove(name);
}

fn with_reply_to(mail: &mut Mail, _: &mut Random) {
    mail.set("Reply-To", " Alice Example <alice@contoso.com>");
}

fn encoded_subject(mail: &mut Mail, random: &mut Random) {
    let text = format!("Grüße aus Köln {}", random.below(1000));
    mail.set("Subject", &format!(" =?utf-8?B?{}?=", STANDARD.encode(text)));
}

/// From base64 to quoted-printable, as other programs write it.
fn encode_anew(signed: &mut Signed) {
    let value = signed.mail.value("Subject").trim().to_owned();
    let text = STANDARD.decode(value.trim_start_matches("=?utf-8?B?").trim_end_matches("?=")).unwrap();
    let q: String = text
        .iter()
        .map(|octet| match octet {
            b' ' => "_".to_owned(),
            _ if octet.is_ascii_alphanumeric() => char::from(*octet).to_string(),
            _ => format!("={octet:02X}"),
        })
        .collect();
    let form = match signed.random.below(3) {
        0 => format!("=?UTF-8?Q?{q}?="),
        1 => format!("=?utf-8?q?{q}?="),
        _ => String::from_utf8(text).unwrap(),
    };
    signed.mail.set("Subject", &format!(" {form}"));
}

fn list_of_two(mail: &mut Mail, _: &mut Random) {
    mail.set("To", " Bob Example <bob@fabrikam.com>,\r\n Carol <carol@fabrikam.com>, dave@fabrikam.com");
}

fn refold(signed: &mut Signed) {
    let to = signed.mail.value("To").to_owned();
    match signed.signer {
        Signer::Simple => {
            let other = signed.random.pick(&[
                " Bob Example <bob@fabrikam.com>, Carol <carol@fabrikam.com>, dave@fabrikam.com",
                " Bob Example <bob@fabrikam.com>,\r\n\tCarol <carol@fabrikam.com>, dave@fabrikam.com",
            ]);
            signed.mail.set("To", other);
        }
        Signer::Relaxed | Signer::Ed25519 => {
            signed.mail.set("To", &to.replace(", dave", ",dave").replace(",\r\n ", ","))
        }
    }
}

fn rewrite_recipients(signed: &mut Signed) {
    let former = signed.mail.value("To").to_owned();
    match signed.random.below(3) {
        0 => {
            signed.mail.set("To", " list@lists.fabrikam.com");
            signed.mail.set("X-Original-To", &former);
        }
        1 => signed.mail.set("To", &format!("{former}, list@lists.fabrikam.com")),
        _ => {
            signed.mail.set("To", " Bob Example <bob@other.example>");
            signed.mail.set("Delivered-To", " bob@fabrikam.com");
        }
    }
}

fn one_recipient(mail: &mut Mail, _: &mut Random) {
    mail.set("To", " Bob Example <bob@fabrikam.com>");
}

fn two_of_a_name(mail: &mut Mail, random: &mut Random) {
    for _ in 0..2 {
        let value = format!(" {}", line(random));
        mail.fields.push(("List-Id".to_owned(), value));
    }
}

fn reorder(signed: &mut Signed) {
    let places: Vec<usize> =
        signed.mail.fields.iter().enumerate().filter(|(_, (name, _))| name == "List-Id").map(|(at, _)| at).collect();
    signed.mail.fields.swap(places[0], places[1]);
}

/// A change that nobody can undo.
fn damage_field(signed: &mut Signed) {
    let name = signed.random.pick(&["Date", "Message-ID", "Subject"]);
    let value = signed.mail.value(name).to_owned();
    let at = 3 + signed.random.below(value.len() - 4);
    let (before, after) = value.split_at(at);
    let other = if after.starts_with('7') { "8" } else { "7" };
    signed.mail.set(name, &format!("{before}{other}{}", &after[1..]));
}

pub const DAMAGES: &[Damage] = &[
    Damage { kinds: &["subject-tag"], after: tag, ..Damage::NONE },
    Damage { kinds: &["subject-prefix"], after: prefix, ..Damage::NONE },
    Damage { kinds: &["from-rewritten"], after: rewrite_from_alone, ..Damage::NONE },
    Damage { kinds: &["header-added"], after: add_field, ..Damage::NONE },
    Damage { kinds: &["header-removed"], shapes: TEXT, before: with_reply_to, after: remove_field, ..Damage::NONE },
    Damage { kinds: &["encoded-word"], before: encoded_subject, after: encode_anew, ..Damage::NONE },
    Damage { kinds: &["header-refolded"], before: list_of_two, after: refold, ..Damage::NONE },
    Damage { kinds: &["recipients-rewritten"], before: one_recipient, after: rewrite_recipients, ..Damage::NONE },
    Damage {
        kinds: &["header-reordered"],
        tags: "",
        before: two_of_a_name,
        after: |signed| {
            signed.mail.fields.remove(0);
            let (key, c) = (signed.signer.key(), signed.signer.c());
            let a = if key == "ed25519" { "ed25519-sha256" } else { "rsa-sha256" };
            signed.sign_as(
                "DKIM-Signature",
                &format!(
                    " v=1; a={a}; c={c}; d=contoso.com; s={key}; h=from:list-id:list-id:subject; bh={{bh}}; b={{b}}"
                ),
            );
            reorder(signed);
        },
        ..Damage::NONE
    },
    Damage { kinds: &["field-changed"], signers: RSA, after: damage_field, ..Damage::NONE },
];

/// The header and the signature's own field as "relaxed" has them (RFC 6376 §3.4.2, §3.7).
fn relaxed(signed: &Signed, names: &[&str], template: &str) -> String {
    let field = |name: &str, value: &str| {
        let words: Vec<&str> = value.split_ascii_whitespace().collect();
        format!("{}:{}", name.to_ascii_lowercase(), words.join(" "))
    };
    let signed_fields = names.iter().map(|name| field(name, signed.mail.value(name)) + "\r\n");
    signed_fields.collect::<String>() + &field("dkim-signature", template)
}

/// Signs anew, by another way of hashing the header than the field says or the rules have.
fn resign(signed: &mut Signed, c: &str, hashed: fn(String) -> String) {
    let value = signed.mail.value("DKIM-Signature").to_owned();
    let bh = value.split("bh=").nth(1).unwrap().split(';').next().unwrap().to_owned();
    let names = ["from", "to", "subject", "date", "message-id"];
    let template =
        format!(" v=1; a=rsa-sha256; c={c}/relaxed; d=contoso.com; s=rsa2048; h={}; bh={bh}; b=", names.join(":"));
    let data = hashed(relaxed(signed, &names, &template));
    let signature = Key::named("rsa2048").sign(Hash::Sha256, &sha2::Sha256::digest(data));
    signed.mail.set("DKIM-Signature", &format!("{template}{}", STANDARD.encode(signature)));
}

/// Without the DigestInfo that says by which hash the digest was made.
fn sign_bare(signed: &mut Signed) {
    let value = signed.mail.value("DKIM-Signature").to_owned();
    let (before, b) = value.rsplit_once("b=").unwrap();
    let Key::Rsa(key) = Key::named("rsa2048") else { panic!("it is of RSA") };
    let digest = sha2::Sha256::digest(b);
    let signature = key.sign(rsa::Pkcs1v15Sign::new_unprefixed(), &digest).unwrap();
    signed.mail.set("DKIM-Signature", &format!("{before}b={}", STANDARD.encode(signature)));
}

/// What signers do wrong, who hash the header otherwise.
pub const WRONG: &[Damage] = &[
    Damage {
        kinds: &["canonicalization-named-wrongly"],
        signers: RELAXED,
        after: |signed| resign(signed, "simple", |data| data),
        ..Damage::NONE
    },
    Damage {
        kinds: &["signed-wrongly"],
        signers: RELAXED,
        after: |signed| resign(signed, "relaxed", |data| data + "\r\n"),
        ..Damage::NONE
    },
    Damage {
        kinds: &["signed-wrongly"],
        signers: RELAXED,
        after: |signed| resign(signed, "relaxed", |data| data.split("dkim-signature:").next().unwrap().to_owned()),
        ..Damage::NONE
    },
    Damage {
        kinds: &["signed-wrongly"],
        signers: RELAXED,
        after: |signed| resign(signed, "relaxed", |data| data.replace("\r\n", "\n")),
        ..Damage::NONE
    },
    Damage { kinds: &["signed-wrongly"], signers: RELAXED, after: sign_bare, ..Damage::NONE },
];

const RELAXED: &[Signer] = &[Signer::Relaxed];

/// What lists and gateways do at once.
pub const PAIRS: &[Damage] = &[
    Damage {
        kinds: &["subject-tag", "body-appended"],
        after: |signed| {
            tag(signed);
            body_damage::append(signed);
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["subject-prefix", "body-prepended"],
        shapes: TEXT,
        after: |signed| {
            prefix(signed);
            body_damage::prepend(signed);
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["subject-tag", "from-rewritten"],
        after: |signed| {
            tag(signed);
            rewrite_from_alone(signed);
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["from-rewritten", "header-added"],
        after: |signed| {
            rewrite_from_with_reply(signed);
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["from-rewritten", "body-appended"],
        after: |signed| {
            rewrite_from_alone(signed);
            body_damage::append(signed);
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["from-rewritten", "subject-tag", "header-added", "body-appended"],
        shapes: TEXT,
        after: |signed| {
            rewrite_from_with_reply(signed);
            tag(signed);
            body_damage::append(signed);
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["subject-tag", "body-part-added"],
        shapes: &[Shape::Plain, Shape::Html],
        signers: RSA,
        after: |signed| {
            tag(signed);
            body_damage::wrap(signed);
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["subject-prefix", "body-inserted", "body-inserted"],
        shapes: &[Shape::Alternative],
        after: |signed| {
            prefix(signed);
            body_damage::banner_in_both(signed);
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["subject-tag", "transfer-encoding"],
        shapes: &[Shape::Utf8],
        after: |signed| {
            tag(signed);
            body_damage::to_quoted_printable(signed);
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["subject-tag", "header-added"],
        after: |signed| {
            tag(signed);
            add_field(signed);
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["subject-tag", "recipients-rewritten"],
        before: one_recipient,
        after: |signed| {
            tag(signed);
            rewrite_recipients(signed);
        },
        ..Damage::NONE
    },
];

fn rewrite_from_with_reply(signed: &mut Signed) {
    signed.mail.set("From", " Alice Example via List <list@lists.fabrikam.com>");
    let reply = signed.random.pick(&[" alice@contoso.com", " Alice Example <alice@contoso.com>"]);
    signed.mail.set("Reply-To", reply);
}
