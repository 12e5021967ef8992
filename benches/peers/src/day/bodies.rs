//! Bodies of messages: some thousand, which the messages of the day share.

use super::random::{Random, normal_quantile};
use crate::{
    messages::{attachment, html, text},
    sign::Canonicalization,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};

const BODIES: usize = 2048;
/// The sizes are log-normal.
const MEDIAN: f64 = 30_000.0;
const SIGMA: f64 = 1.2;
const LARGEST: f64 = 5_000_000.0;
/// Up to here a message is text alone, and up to there text and HTML; what is longer brings an attachment.
const TEXT: usize = 4_000;
const HTML: usize = 120_000;

const BOUNDARY: &str = "=_b1";

pub struct Body {
    /// The value of the field.
    pub content_type: String,
    pub text: String,
    /// As `bh=`, of the body as it was sent.
    relaxed: String,
    simple: String,
}

impl Body {
    pub fn hash(&self, canonicalization: Canonicalization) -> &str {
        match canonicalization {
            Canonicalization::Relaxed => &self.relaxed,
            Canonicalization::Simple => &self.simple,
        }
    }

    fn of(size: usize, random: &mut Random) -> Self {
        let mut chacha = ChaCha20Rng::seed_from_u64(random.draw());
        let (content_type, text) = if size < TEXT {
            ("text/plain; charset=utf-8".into(), text(&mut chacha, size))
        } else if size < HTML {
            let plain = size / 5;
            let parts = [
                ("text/plain; charset=utf-8", text(&mut chacha, plain)),
                ("text/html; charset=utf-8", html(&mut chacha, size - plain)),
            ];
            (multipart("alternative"), joined(&parts))
        } else {
            let attached = size - 20_000;
            let parts = [
                ("text/html; charset=utf-8", html(&mut chacha, 20_000)),
                ("application/pdf\r\nContent-Transfer-Encoding: base64", attachment(&mut chacha, attached)),
            ];
            (multipart("mixed"), joined(&parts))
        };
        let [relaxed, simple] = [Canonicalization::Relaxed, Canonicalization::Simple].map(|how| how.hash_of(&text));
        Self { content_type, text, relaxed, simple }
    }
}

fn multipart(kind: &str) -> String {
    format!("multipart/{kind};\r\n\tboundary=\"{BOUNDARY}\"")
}

fn joined(parts: &[(&str, String)]) -> String {
    let part =
        |(content_type, text): &(&str, String)| format!("--{BOUNDARY}\r\nContent-Type: {content_type}\r\n\r\n{text}");
    parts.iter().map(part).collect::<String>() + "--" + BOUNDARY + "--\r\n"
}

/// All bodies, in no order of size. The sizes are those that cut the distribution into equal shares: no chance decides about the mean.
pub fn bodies(seed: u64) -> Vec<Body> {
    let mut random = Random::of(seed, "bodies", 0);
    let size = |number| {
        let share = (number as f64 + 0.5) / BODIES as f64;
        (MEDIAN * (SIGMA * normal_quantile(share)).exp()).min(LARGEST) as usize
    };
    let mut sizes: Vec<usize> = (0..BODIES).map(size).collect();
    random.shuffle(&mut sizes);
    sizes.into_iter().map(|size| Body::of(size, &mut random)).collect()
}
