//! What it costs to sign a message of 2 kB: `sign [--rounds N]`.
//!
//! Both sides compute with AWS-LC and name the same fields. Beside them stands the private-key operation by itself, which neither can do
//! without. mailverdict parses the message, as mail-auth does.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mail_auth::{
    crypto::{RsaKey, Sha256},
    dkim::DkimSigner,
    headers::HeaderWriter as _,
};
use mailverdict::{
    Message,
    sign::{PrivateKey, Signer, SigningAlgorithm, SigningKey as _},
    time::UnixTime,
};
use mailverdict_peers::{
    contender::{Prepared, at_once},
    messages::{Shape, message},
    rounds::measure,
};

/// What mailverdict names without other words, where the message has no more.
const FIELDS: [&str; 12] = [
    "From",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];
const KEY: &str = include_str!("../../../../tests/data/keys/rsa2048.pem");
const AT: UnixTime = UnixTime(1_760_000_000);

/// The operation alone, over a digest.
struct Operation(PrivateKey);

struct Ours {
    signer: Signer,
    key: PrivateKey,
    message: String,
}

struct MailAuth<F> {
    sign: F,
    message: String,
}

impl Prepared for Operation {
    fn verdict(&mut self) -> String {
        format!("{} octets", self.run())
    }

    fn run(&mut self) -> usize {
        at_once(self.0.sign(&[7; 32])).expect("a signature").len()
    }
}

impl Prepared for Ours {
    fn verdict(&mut self) -> String {
        let message = Message::parse(self.message.as_bytes()).expect("a message");
        at_once(self.signer.sign(&message, &self.key, AT)).expect("a field")
    }

    fn run(&mut self) -> usize {
        self.verdict().len()
    }
}

impl<F: Fn(&[u8]) -> String> Prepared for MailAuth<F> {
    fn verdict(&mut self) -> String {
        (self.sign)(self.message.as_bytes())
    }

    fn run(&mut self) -> usize {
        self.verdict().len()
    }
}

fn main() {
    let rounds = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => 101,
        [option, number] if option == "--rounds" => number.parse().expect("a number after --rounds"),
        other => panic!("{other:?} are no options"),
    };
    let key = || PrivateKey::read(KEY.as_bytes()).expect("a key");
    let message = message(Shape::Plain2k);
    let der = KEY.lines().filter(|line| !line.starts_with('-')).collect::<String>();
    let der = STANDARD.decode(der).expect("a key in base64");
    #[expect(deprecated, reason = "its successor wants a type of another crate")]
    let theirs = RsaKey::<Sha256>::from_der(&der).expect("a key");
    let theirs = DkimSigner::from_key(theirs).domain("example.com").selector("s1").headers(FIELDS);
    let mut sides: Vec<Box<dyn Prepared + '_>> = vec![
        Box::new(Operation(key())),
        Box::new(Ours {
            signer: Signer::new("example.com", "s1", SigningAlgorithm::RsaSha256).expect("names"),
            key: key(),
            message: message.clone(),
        }),
        Box::new(MailAuth { sign: |message: &[u8]| theirs.sign(message).expect("a field").to_header(), message }),
    ];
    for side in &mut sides {
        eprintln!("{}", side.verdict());
    }
    let times = measure(&mut sides, rounds);
    let [operation, ours, mail_auth] = times.as_slice() else { return };
    println!("| a signature over 2 kB, rsa-2048, µs | median | least |\n|---|--:|--:|");
    for (name, times) in
        [("the private-key operation alone", operation), ("mailverdict", ours), ("mail-auth (AWS-LC)", mail_auth)]
    {
        println!("| {name} | {:.1} | {:.1} |", times.median() / 1e3, times.minimum() / 1e3);
    }
    let bound = 1.1 * operation.median() + 10e3;
    println!(
        "\nmailverdict to the operation {:.3}, to mail-auth {:.3}; 1.1 of the operation and 10 µs are {:.1} µs: {}",
        ours.ratio_to(operation),
        ours.ratio_to(mail_auth),
        bound / 1e3,
        if ours.median() <= bound { "kept" } else { "NOT kept" }
    );
}
