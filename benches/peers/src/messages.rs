//! Messages made from a seed: the same octets on every machine and in every run.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

const WORDS: [&str; 40] = [
    "the", "of", "and", "to", "in", "a", "is", "that", "for", "it", "as", "was", "with", "be", "by", "on", "not", "he",
    "which", "invoice", "are", "or", "from", "meeting", "delivery", "they", "account", "monday", "report", "at",
    "have", "customer", "please", "regards", "you", "all", "attached", "between", "schedule", "quarter",
];

/// How a message is made up.
#[derive(Clone, Copy)]
pub enum Shape {
    /// Plain text, the whole message about 2 kB.
    Plain2k,
    /// Plain text and indented HTML side by side, about 27 kB.
    Multipart27k,
    /// A line of text and an attachment in base64, about 1 MB.
    Attachment1M,
}

/// An unsigned message.
pub fn message(shape: Shape) -> String {
    let mut random = ChaCha20Rng::seed_from_u64(shape as u64);
    match shape {
        Shape::Plain2k => {
            let head = header("text/plain; charset=utf-8");
            let size = 2000 - head.len();
            head + &text(&mut random, size)
        }
        Shape::Multipart27k => {
            header("multipart/alternative;\r\n\tboundary=\"=_b1\"")
                + "--=_b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
                + &text(&mut random, 5_000)
                + "--=_b1\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
                + &html(&mut random, 20_500)
                + "--=_b1--\r\n"
        }
        Shape::Attachment1M => {
            header("multipart/mixed;\r\n\tboundary=\"=_b1\"")
                + "--=_b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
                + &text(&mut random, 500)
                + "--=_b1\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                + &attachment(&mut random, 1_000_000)
                + "--=_b1--\r\n"
        }
    }
}

fn header(content_type: &str) -> String {
    format!(
        "Received: from mail-eopbgr60112.outbound.example.com (mail-eopbgr60112.outbound.example.com [192.0.2.10])\r\n\
         \tby mx.example.org (Postfix) with ESMTPS id 4XkQ1z2b3Jz9sWK\r\n\
         \tfor <bob@example.org>; Tue, 14 Nov 2023 22:13:20 +0000 (UTC)\r\n\
         Received: from AM6PR05MB1234.example.com (2001:db8:20b:a1::15) by\r\n\
         \x20AM6PR05MB4321.example.com (2001:db8:20b:a2::21) with Microsoft SMTP Server\r\n\
         \x20(version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.7002.15;\r\n\
         \x20Tue, 14 Nov 2023 22:13:18 +0000\r\n\
         From: \"Alice Example\" <alice@example.com>\r\n\
         To: Bob <bob@example.org>\r\n\
         Subject: Re: delivery schedule for the last quarter\r\n\
         Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n\
         Message-ID: <AM6PR05MB1234.4f3a9c@example.com>\r\n\
         In-Reply-To: <CAF9b3a.77120@example.org>\r\n\
         References: <CAF9b3a.77101@example.org>\r\n\
         \x20<CAF9b3a.77120@example.org>\r\n\
         Accept-Language: en-GB, en-US\r\n\
         Content-Language: en-GB\r\n\
         X-Mailer: Example Mailer 16.0\r\n\
         Content-Type: {content_type}\r\n\
         MIME-Version: 1.0\r\n\r\n"
    )
}

pub(crate) fn text(random: &mut ChaCha20Rng, size: usize) -> String {
    let mut text = String::new();
    while text.len() < size {
        let line = words(random, 66);
        text += &line;
        // One line in sixteen ends in a space, as format=flowed has it; one in eight is followed by an empty line.
        match random.next_u32() % 16 {
            0 => text += " \r\n",
            1 | 2 => text += "\r\n\r\n",
            _ => text += "\r\n",
        }
    }
    text
}

pub(crate) fn html(random: &mut ChaCha20Rng, size: usize) -> String {
    let mut html = String::from("<!DOCTYPE html>\r\n<html>\r\n  <body>\r\n");
    while html.len() < size {
        let depth = 4 + 2 * (random.next_u32() % 5) as usize;
        let line = match random.next_u32() % 4 {
            0 => "<tr><td style=\"padding:4px 8px;font-family:Arial,sans-serif\">".to_owned(),
            1 => "</td></tr>".to_owned(),
            _ => words(random, 70),
        };
        html += &format!("{:depth$}{line}\r\n", "");
    }
    html + "  </body>\r\n</html>\r\n"
}

pub(crate) fn attachment(random: &mut ChaCha20Rng, size: usize) -> String {
    let mut octets = vec![0; size / 78 * 57];
    random.fill_bytes(&mut octets);
    octets.chunks(57).map(|line| STANDARD.encode(line) + "\r\n").collect()
}

pub(crate) fn words(random: &mut ChaCha20Rng, width: usize) -> String {
    let mut line = String::new();
    loop {
        let word = WORDS[random.next_u32() as usize % WORDS.len()];
        if line.len() + word.len() >= width {
            return line;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
}
