//! Messages made from a seed, to be signed and changed.

use super::random::Random;
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A message in fields and a body, which is easier to change than octets are.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Names and values, from the top down; a value begins behind the colon, and has no line end.
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What a body is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Plain,
    Utf8,
    QuotedPrintable,
    Base64,
    Html,
    Alternative,
    Mixed,
}

impl Shape {
    pub const ALL: [Self; 7] =
        [Self::Plain, Self::Utf8, Self::QuotedPrintable, Self::Base64, Self::Html, Self::Alternative, Self::Mixed];
}

const WORDS: [&str; 32] = [
    "the",
    "minutes",
    "of",
    "our",
    "meeting",
    "are",
    "below",
    "please",
    "send",
    "a",
    "copy",
    "to",
    "all",
    "members",
    "before",
    "Friday",
    "order",
    "number",
    "confirmed",
    "invoice",
    "attached",
    "thank",
    "you",
    "for",
    "your",
    "reply",
    "we",
    "will",
    "meet",
    "at",
    "noon",
    "again",
];

/// A line of words.
pub fn line(random: &mut Random) -> String {
    let words: Vec<&str> = (0..4 + random.below(9)).map(|_| random.pick(&WORDS)).collect();
    format!("{} {}.", words.join(" "), random.below(100_000))
}

/// Lines with their line ends, and an empty one now and then.
pub fn lines(random: &mut Random, count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        text += &line(random);
        text += if number % 5 == 4 { "\r\n\r\n" } else { "\r\n" };
    }
    text
}

impl Mail {
    pub fn new(random: &mut Random, shape: Shape) -> Self {
        let subject = line(random);
        let mut fields: Vec<(String, String)> = [
            ("Received", format!(" from client.contoso.com by mail.contoso.com with ESMTPSA id {};\r\n Mon, 6 Oct 2025 08:15:01 +0000", random.below(1 << 30))),
            ("From", " Alice Example <alice@contoso.com>".to_owned()),
            ("To", " Bob Example <bob@fabrikam.com>,\r\n Carol <carol@fabrikam.com>".to_owned()),
            ("Subject", format!(" {}", subject.trim_end_matches('.'))),
            ("Date", " Mon, 6 Oct 2025 08:15:00 +0000".to_owned()),
            ("Message-ID", format!(" <{}@contoso.com>", random.below(1 << 30))),
            ("MIME-Version", " 1.0".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let count = 4 + random.below(20);
        let text = lines(random, count);
        let german = text.replace("meeting", "Größe").replace("order", "Übergrößen") + "Grüße aus Köln\r\n";
        let html = format!(
            "<html><head><title>x</title></head>\r\n<body bgcolor=\"#fff\"><p>{}</p>\r\n</body></html>\r\n",
            text.replace("\r\n\r\n", "</p>\r\n<p>")
        );
        let boundary = format!("b{}", random.below(1 << 30));
        let part = |kind: &str, text: &str| format!("--{boundary}\r\nContent-Type: {kind}\r\n\r\n{text}\r\n");
        let (kind, encoding, body) = match shape {
            Shape::Plain => ("text/plain".to_owned(), "7bit", text.into_bytes()),
            Shape::Utf8 => ("text/plain; charset=utf-8".to_owned(), "8bit", german.into_bytes()),
            Shape::QuotedPrintable => {
                ("text/plain; charset=utf-8".to_owned(), "quoted-printable", quoted_printable(german.as_bytes()))
            }
            Shape::Base64 => ("text/plain; charset=utf-8".to_owned(), "base64", base64(german.as_bytes())),
            Shape::Html => ("text/html".to_owned(), "7bit", html.into_bytes()),
            Shape::Alternative => {
                let body = part("text/plain", &text) + &part("text/html", &html) + &format!("--{boundary}--\r\n");
                (format!("multipart/alternative; boundary=\"{boundary}\""), "7bit", body.into_bytes())
            }
            Shape::Mixed => {
                let octets: Vec<u8> = (0..900).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
                let attachment = String::from_utf8(base64(&octets)).unwrap();
                let attachment = format!(
                    "--{boundary}\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n{attachment}\r\n"
                );
                let body = part("text/plain", &text) + &attachment + &format!("--{boundary}--\r\n");
                (format!("multipart/mixed; boundary=\"{boundary}\""), "7bit", body.into_bytes())
            }
        };
        fields.push(("Content-Type".to_owned(), format!(" {kind}")));
        fields.push(("Content-Transfer-Encoding".to_owned(), format!(" {encoding}")));
        Self { fields, body }
    }

    pub fn octets(&self) -> Vec<u8> {
        let header: String = self.fields.iter().map(|(name, value)| format!("{name}:{value}\r\n")).collect();
        [header.as_bytes(), b"\r\n", &self.body].concat()
    }

    pub fn value(&self, name: &str) -> &str {
        &self.fields.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).unwrap_or_else(|| panic!("no {name}")).1
    }

    /// With another value, or a new field where there is none.
    pub fn set(&mut self, name: &str, value: &str) {
        match self.fields.iter_mut().find(|(own, _)| own.eq_ignore_ascii_case(name)) {
            Some(field) => field.1 = value.to_owned(),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
    }

    pub fn remove(&mut self, name: &str) {
        self.fields.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// Where lines begin, but for the first one.
    pub fn line_starts(&self) -> Vec<usize> {
        self.body
            .windows(2)
            .enumerate()
            .filter(|(_, two)| two == b"\r\n")
            .map(|(at, _)| at + 2)
            .filter(|at| *at < self.body.len())
            .collect()
    }
}

/// As Python's quopri writes it.
pub fn quoted_printable(octets: &[u8]) -> Vec<u8> {
    let mut out = String::new();
    for line in String::from_utf8(octets.to_vec()).unwrap().split_inclusive("\r\n") {
        let mut column = 0;
        let text = line.strip_suffix("\r\n").unwrap_or(line);
        let last = text.len();
        for (at, octet) in text.bytes().enumerate() {
            let is_last = at + 1 == last;
            let plain = (octet.is_ascii_graphic() && octet != b'=') || (octet == b' ' && !is_last);
            let coded = if plain { char::from(octet).to_string() } else { format!("={octet:02X}") };
            if column + coded.len() > if is_last { 76 } else { 75 } {
                out += "=\r\n";
                column = 0;
            }
            column += coded.len();
            out += &coded;
        }
        out += &line[text.len()..];
    }
    out.into_bytes()
}

/// In lines of 76 characters, with a line end at the end.
pub fn base64(octets: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(octets);
    let lines: Vec<&str> = text.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    (lines.join("\r\n") + "\r\n").into_bytes()
}
