//! What is done to bodies.

use super::{
    Damage, Signed, Signer, TEXT,
    mail::{Mail, Shape, base64, line, lines, quoted_printable},
    random::Random,
};

const SIMPLE: &[Signer] = &[Signer::Simple];
const HTML: &[Shape] = &[Shape::Html, Shape::Alternative];

/// A footer of a list, in one of its usual forms.
pub fn footer(random: &mut Random) -> String {
    let count = 1 + random.below(5);
    let words = lines(random, count);
    let start = random.pick(&[
        "_______________________________________________\r\n",
        "-- \r\n",
        "\r\n--\r\n",
        "\r\n",
        "==========\r\n",
    ]);
    format!("{start}{words}https://lists.fabrikam.com/{}\r\n", random.below(1000))
}

/// A warning of a gateway.
pub fn banner(random: &mut Random) -> String {
    let text = random.pick(&[
        "[EXTERNAL]",
        "CAUTION: This email comes from outside.",
        "*** Do not click links. ***",
        "External sender:",
    ]);
    let end = random.pick(&["\r\n", "\r\n\r\n", "\r\n----------\r\n\r\n"]);
    format!("{text} {}{end}", line(random))
}

pub fn append(signed: &mut Signed) {
    let footer = footer(&mut signed.random);
    signed.mail.body.extend(footer.into_bytes());
}

pub fn prepend(signed: &mut Signed) {
    let banner = banner(&mut signed.random);
    signed.mail.body.splice(0..0, banner.into_bytes());
}

fn insert_line(signed: &mut Signed) {
    let starts = signed.mail.line_starts();
    let at = starts[signed.random.below(starts.len() - 1)];
    let text = banner(&mut signed.random);
    signed.mail.body.splice(at..at, text.into_bytes());
}

/// Behind the first of `marks` that is there.
fn replace(mail: &mut Mail, from: &str, to: &str) {
    let text = mail.text();
    assert!(text.contains(from), "nothing to change: {from} in {text}");
    mail.body = text.replacen(from, to, 1).into_bytes();
}

fn html_banner(signed: &mut Signed) {
    let banner = format!("<div style=\"color:red\">{}</div>", line(&mut signed.random));
    replace(&mut signed.mail, "<body bgcolor=\"#fff\">", &format!("<body bgcolor=\"#fff\">{banner}"));
}

fn html_footer(signed: &mut Signed) {
    let footer = format!("<hr><p>{}</p>\r\n", line(&mut signed.random));
    replace(&mut signed.mail, "</body>", &format!("{footer}</body>"));
}

fn boundary(mail: &Mail) -> String {
    mail.value("Content-Type").split('"').nth(1).unwrap().to_owned()
}

fn add_part(signed: &mut Signed) {
    let boundary = boundary(&signed.mail);
    let part = format!(
        "--{boundary}\r\nContent-Type: text/plain; charset=\"us-ascii\"\r\n\r\n{}\r\n",
        footer(&mut signed.random)
    );
    replace(&mut signed.mail, &format!("--{boundary}--"), &format!("{part}--{boundary}--"));
}

/// As Mailman does to a body that is no multipart.
pub fn wrap(signed: &mut Signed) {
    let (mail, random) = (&mut signed.mail, &mut signed.random);
    let boundary = format!("==============={}", random.below(1 << 30));
    let (kind, encoding) = (mail.value("Content-Type").to_owned(), mail.value("Content-Transfer-Encoding").to_owned());
    let footer = footer(random);
    let head = format!("--{boundary}\r\nContent-Type:{kind}\r\nContent-Transfer-Encoding:{encoding}\r\n\r\n");
    let tail = format!(
        "\r\n--{boundary}\r\nContent-Type: text/plain; charset=\"us-ascii\"\r\n\r\n{footer}\r\n--{boundary}--\r\n"
    );
    mail.body = [head.as_bytes(), &mail.body, tail.as_bytes()].concat();
    mail.set("Content-Type", &format!(" multipart/mixed; boundary=\"{boundary}\""));
    mail.remove("Content-Transfer-Encoding");
}

/// Text in both parts of an alternative.
pub fn banner_in_both(signed: &mut Signed) {
    let banner = banner(&mut signed.random);
    let html = format!("<div class=warning>{}</div>", banner.trim());
    replace(&mut signed.mail, "\r\n\r\n", &format!("\r\n\r\n{banner}"));
    replace(&mut signed.mail, "<body bgcolor=\"#fff\">", &format!("<body bgcolor=\"#fff\">{html}"));
}

/// Each line that is given without its line end.
fn each_line(mail: &mut Mail, change: impl Fn(&str) -> String) {
    let text = mail.text();
    mail.body = text
        .split_inclusive("\r\n")
        .map(|line| change(line.strip_suffix("\r\n").unwrap_or(line)) + "\r\n")
        .collect::<String>()
        .into_bytes();
}

fn insert_at_lines(mail: &mut Mail, random: &mut Random, texts: &[&str]) {
    for text in texts {
        let starts = mail.line_starts();
        let at = starts[random.below(starts.len() - 1)];
        mail.body.splice(at..at, format!("{text} {}\r\n", line(random)).into_bytes());
    }
}

fn wrap_long_lines(mail: &mut Mail, length: usize, between: &str) {
    let room = length - (between.len() - 2);
    each_line(mail, |line| {
        let mut rest = line;
        let mut out = String::new();
        let mut most = length;
        while rest.len() > most {
            let (head, tail) = rest.split_at(most);
            out += head;
            out += between;
            rest = tail;
            most = room;
        }
        out + rest
    });
}

fn to_base64(signed: &mut Signed) {
    signed.mail.body = base64(&signed.mail.body);
    signed.mail.set("Content-Transfer-Encoding", " base64");
}

pub fn to_quoted_printable(signed: &mut Signed) {
    signed.mail.body = quoted_printable(&signed.mail.body);
    signed.mail.set("Content-Transfer-Encoding", " quoted-printable");
}

/// quoted-printable that comes decoded.
fn decode(signed: &mut Signed) {
    let text = signed.mail.text().replace("=\r\n", "");
    let mut out = Vec::new();
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        if octet == b'=' {
            let digits = [octets.next().unwrap(), octets.next().unwrap()];
            out.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            out.push(octet);
        }
    }
    signed.mail.body = out;
    signed.mail.set("Content-Transfer-Encoding", " 8bit");
}

fn base64_in_lines_of_64(signed: &mut Signed) {
    let digits: String = signed.mail.text().replace("\r\n", "");
    let lines: Vec<&str> = digits.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    signed.mail.body = (lines.join("\r\n") + "\r\n").into_bytes();
}

fn parts_to_quoted_printable(signed: &mut Signed) {
    let boundary = boundary(&signed.mail);
    let text = signed.mail.text();
    let parts: Vec<String> = text
        .split(&format!("--{boundary}\r\n"))
        .map(|part| match part.split_once("\r\n\r\n") {
            Some((header, content)) if header.contains("text/") => {
                let (content, end) = match content.split_once(&format!("\r\n--{boundary}--")) {
                    Some((content, end)) => (content, format!("\r\n--{boundary}--{end}")),
                    None => (content.strip_suffix("\r\n").unwrap(), "\r\n".to_owned()),
                };
                let coded = String::from_utf8(quoted_printable(content.as_bytes())).unwrap();
                let header =
                    header.replace("Content-Transfer-Encoding: 8bit", "Content-Transfer-Encoding: quoted-printable");
                format!("{header}\r\n\r\n{coded}{end}")
            }
            _ => part.to_owned(),
        })
        .collect();
    signed.mail.body = parts.join(&format!("--{boundary}\r\n")).into_bytes();
}

fn links(mail: &mut Mail, random: &mut Random) {
    for _ in 0..3 {
        let starts = mail.line_starts();
        let at = starts[random.below(starts.len() - 1)];
        let link = format!("See https://www.contoso.com/a?b={}&c=1 for more.\r\n", random.below(1000));
        mail.body.splice(at..at, link.into_bytes());
    }
}

fn rewrite_links(signed: &mut Signed) {
    let text = signed.mail.text();
    let way = signed.random.below(3);
    let coded = |link: &str| {
        link.bytes()
            .map(|octet| {
                if octet.is_ascii_alphanumeric() || octet == b'.' {
                    char::from(octet).to_string()
                } else {
                    format!("%{octet:02X}")
                }
            })
            .collect::<String>()
    };
    let rewritten = |word: &str| match word.starts_with("https://www") {
        true if way == 0 => {
            format!("https://eur05.safelinks.protection.outlook.com/?url={}&data=05%7C02&reserved=0", coded(word))
        }
        true if way == 1 => format!("https://urldefense.com/v3/__{word}__;!!Bz4y!x$"),
        true => format!("https://linkprotect.cudasvc.com/url?a={}&c=E,1,x&typo=1", coded(word)),
        false => word.to_owned(),
    };
    signed.mail.body = text.split(' ').map(rewritten).collect::<Vec<_>>().join(" ").into_bytes();
}

/// What Exchange does to HTML.
fn meta(signed: &mut Signed) {
    let tag = "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=us-ascii\">";
    let line = signed.random.pick(&["", "\r\n"]);
    replace(&mut signed.mail, "<head>", &format!("<head>{line}{tag}"));
}

pub const DAMAGES: &[Damage] = &[
    Damage { kinds: &["body-appended"], after: append, ..Damage::NONE },
    Damage {
        kinds: &["body-prepended"],
        shapes: &[Shape::Plain, Shape::Utf8, Shape::QuotedPrintable],
        after: prepend,
        ..Damage::NONE
    },
    Damage { kinds: &["body-inserted"], shapes: TEXT, after: insert_line, ..Damage::NONE },
    Damage { kinds: &["body-inserted"], shapes: HTML, after: html_banner, ..Damage::NONE },
    Damage { kinds: &["body-inserted"], shapes: HTML, after: html_footer, ..Damage::NONE },
    Damage {
        kinds: &["body-part-added"],
        shapes: &[Shape::Mixed, Shape::Alternative],
        after: add_part,
        ..Damage::NONE
    },
    Damage {
        kinds: &["body-part-added"],
        shapes: &[Shape::Plain, Shape::Utf8, Shape::QuotedPrintable, Shape::Html],
        after: wrap,
        ..Damage::NONE
    },
    Damage {
        kinds: &["body-truncated"],
        shapes: &[Shape::Plain, Shape::Html],
        tags: "l=200;",
        after: |signed| signed.mail.body.truncate(100),
        ..Damage::NONE
    },
    Damage {
        kinds: &["body-empty"],
        before: |mail, _| mail.body.clear(),
        after: |signed| signed.mail.body = lines(&mut signed.random, 6).into_bytes(),
        ..Damage::NONE
    },
    Damage {
        kinds: &["line-ends"],
        shapes: TEXT,
        after: |signed| signed.mail.body = signed.mail.text().replace("\r\n", "\r\r\n").into_bytes(),
        ..Damage::NONE
    },
    Damage {
        kinds: &["line-ends"],
        after: |signed| signed.mail.body = signed.mail.text().replace("\r\n", "\r\n\r\n").into_bytes(),
        ..Damage::NONE
    },
    Damage {
        kinds: &["line-ends"],
        after: |signed| signed.mail.body = signed.mail.text().replace("\r\n", "\n").into_bytes(),
        ..Damage::NONE
    },
    Damage {
        kinds: &["trailing-white-space"],
        signers: SIMPLE,
        after: |signed| {
            each_line(&mut signed.mail, |line| if line.len() % 2 == 0 { format!("{line} ") } else { line.to_owned() })
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["trailing-white-space"],
        signers: SIMPLE,
        shapes: TEXT,
        before: |mail, random| insert_at_lines(mail, random, &["-- \r\n"]),
        after: |signed| each_line(&mut signed.mail, |line| line.trim_end().to_owned()),
        ..Damage::NONE
    },
    Damage {
        kinds: &["from-stuffing"],
        shapes: TEXT,
        before: |mail, random| insert_at_lines(mail, random, &["From", "From"]),
        after: stuff,
        ..Damage::NONE
    },
    Damage {
        kinds: &["from-stuffing"],
        shapes: TEXT,
        before: |mail, random| insert_at_lines(mail, random, &[">From", "From"]),
        after: stuff,
        ..Damage::NONE
    },
    Damage {
        kinds: &["dot-stuffing"],
        shapes: TEXT,
        before: |mail, random| insert_at_lines(mail, random, &[".", "..", ".profile"]),
        after: |signed| {
            each_line(&mut signed.mail, |line| if line.starts_with('.') { format!(".{line}") } else { line.to_owned() })
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["dot-stuffing"],
        shapes: TEXT,
        before: |mail, random| insert_at_lines(mail, random, &[".profile"]),
        after: |signed| each_line(&mut signed.mail, |line| line.strip_prefix('.').unwrap_or(line).to_owned()),
        ..Damage::NONE
    },
    Damage {
        kinds: &["long-line-wrapped"],
        shapes: TEXT,
        before: |mail, random| {
            mail.body.extend((0..60).map(|_| line(random)).collect::<Vec<_>>().join(" ").bytes().chain(*b"\r\n"))
        },
        after: |signed| {
            let between = signed.random.pick(&["\r\n", "\r\n "]);
            wrap_long_lines(&mut signed.mail, 998, between);
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["long-line-wrapped"],
        shapes: TEXT,
        before: |mail, random| {
            mail.body.extend((0..60).map(|_| line(random)).collect::<Vec<_>>().join(" ").bytes().chain(*b"\r\n"))
        },
        after: |signed| {
            each_line(&mut signed.mail, |line| {
                line.as_bytes()
                    .chunks(989)
                    .map(|part| String::from_utf8_lossy(part).into_owned())
                    .collect::<Vec<_>>()
                    .join("!\r\n ")
            })
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["transfer-encoding"],
        shapes: &[Shape::Utf8, Shape::Plain, Shape::Html],
        after: to_base64,
        ..Damage::NONE
    },
    Damage { kinds: &["transfer-encoding"], shapes: &[Shape::Utf8], after: to_quoted_printable, ..Damage::NONE },
    Damage { kinds: &["transfer-encoding"], shapes: &[Shape::QuotedPrintable], after: decode, ..Damage::NONE },
    Damage { kinds: &["transfer-encoding"], shapes: &[Shape::Base64], after: base64_in_lines_of_64, ..Damage::NONE },
    Damage {
        kinds: &["transfer-encoding"],
        shapes: &[Shape::Alternative],
        before: |mail, _| {
            let text = mail.text().replace(
                "Content-Type: text/plain\r\n",
                "Content-Type: text/plain\r\nContent-Transfer-Encoding: 8bit\r\n",
            );
            let text = text.replace(
                "Content-Type: text/html\r\n",
                "Content-Type: text/html\r\nContent-Transfer-Encoding: 8bit\r\n",
            );
            mail.body = text.replace("meeting", "Größe").into_bytes();
        },
        after: parts_to_quoted_printable,
        ..Damage::NONE
    },
    Damage {
        kinds: &["charset-or-boundary"],
        shapes: &[Shape::Utf8],
        before: |mail, _| mail.body = mail.text().chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect(),
        after: |signed| {
            signed.mail.body = signed.mail.body.iter().map(|octet| char::from(*octet)).collect::<String>().into_bytes()
        },
        ..Damage::NONE
    },
    Damage { kinds: &["urls-rewritten"], shapes: TEXT, before: links, after: rewrite_links, ..Damage::NONE },
    Damage { kinds: &["store-rewrote"], shapes: &[Shape::Html], after: meta, ..Damage::NONE },
    Damage {
        kinds: &["canonicalization-named-wrongly"],
        signers: &[Signer::Relaxed],
        shapes: TEXT,
        before: spaces,
        after: |signed| resign(signed, "relaxed/simple", |body| relaxed(&body)),
        ..Damage::NONE
    },
    Damage {
        kinds: &["signed-wrongly"],
        signers: &[Signer::Relaxed],
        shapes: TEXT,
        after: |signed| resign(signed, "relaxed/simple", |body| body.replace("\r\n", "\n")),
        ..Damage::NONE
    },
    Damage {
        kinds: &["signed-wrongly"],
        signers: &[Signer::Relaxed],
        shapes: TEXT,
        after: |signed| resign(signed, "relaxed/simple", |body| body.trim_end().to_owned()),
        ..Damage::NONE
    },
];

/// What writes mbox files does to lines that look like separators.
fn stuff(signed: &mut Signed) {
    each_line(&mut signed.mail, |line| if line.starts_with("From ") { format!(">{line}") } else { line.to_owned() });
}

fn spaces(mail: &mut Mail, _: &mut Random) {
    mail.body = mail.text().replace(" are ", "  are ").replace(" the ", "\tthe ").replacen(' ', "  ", 1).into_bytes();
}

/// RFC 6376 §3.4.4, for texts without white space at the ends of lines.
fn relaxed(body: &str) -> String {
    let mut text = body.replace('\t', " ");
    while text.contains("  ") {
        text = text.replace("  ", " ");
    }
    text.trim_end().to_owned() + "\r\n"
}

/// Signs anew, with the hash of another body than is there.
fn resign(signed: &mut Signed, c: &str, hashed: fn(String) -> String) {
    use base64::Engine as _;
    use sha2::Digest as _;
    signed.mail.fields.remove(0);
    let bh = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(hashed(signed.mail.text())));
    let template =
        format!(" v=1; a=rsa-sha256; c={c}; d=contoso.com; s=rsa2048; h=from:to:subject:date; bh={bh}; b={{b}}");
    signed.sign_as("DKIM-Signature", &template);
}

/// What lists and gateways do at once.
pub const PAIRS: &[Damage] = &[
    Damage {
        kinds: &["transfer-encoding", "body-appended"],
        shapes: &[Shape::Utf8],
        after: |signed| {
            to_quoted_printable(signed);
            append(signed);
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["body-appended", "transfer-encoding"],
        shapes: &[Shape::Utf8, Shape::Plain],
        after: |signed| {
            append(signed);
            to_base64(signed);
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["body-inserted", "body-inserted"],
        shapes: &[Shape::Alternative],
        after: banner_in_both,
        ..Damage::NONE
    },
    Damage {
        kinds: &["long-line-wrapped", "body-appended"],
        shapes: TEXT,
        before: |mail, random| {
            mail.body.extend((0..60).map(|_| line(random)).collect::<Vec<_>>().join(" ").bytes().chain(*b"\r\n"))
        },
        after: |signed| {
            wrap_long_lines(&mut signed.mail, 998, "\r\n");
            append(signed);
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["from-stuffing", "body-appended"],
        shapes: TEXT,
        before: |mail, random| insert_at_lines(mail, random, &["From"]),
        after: |signed| {
            each_line(
                &mut signed.mail,
                |line| if line.starts_with("From ") { format!(">{line}") } else { line.to_owned() },
            );
            append(signed);
        },
        ..Damage::NONE
    },
    Damage {
        kinds: &["line-ends", "body-appended"],
        shapes: TEXT,
        after: |signed| {
            append(signed);
            signed.mail.body = signed.mail.text().replace("\r\n", "\n").into_bytes();
        },
        ..Damage::NONE
    },
];
