//! What is measured.

use crate::{
    keys::Key,
    messages::{Shape, message},
    sign::{self, Canonicalization},
    zone::Zone,
};
use std::net::{IpAddr, Ipv4Addr};

/// One line of the table.
pub struct Case {
    pub name: &'static str,
    pub task: Task,
}

/// What a contender is asked to do; the clock runs from the octets of the message to the owned result.
pub enum Task {
    /// Split the message, verify all its DKIM signatures.
    Dkim(String),
    /// Split the message, validate its ARC chain.
    Arc(String),
    /// SPF for MAIL FROM.
    Spf(Client),
    /// DMARC for a message whose SPF and DKIM results are known; these and the split message are made before the clock runs.
    Dmarc(String, Client),
    /// Split the message; SPF for HELO and MAIL FROM, DKIM, ARC, DMARC; write the Authentication-Results field.
    All(String, Client),
}

/// What the SMTP session showed.
#[derive(Clone)]
pub struct Client {
    pub ip: IpAddr,
    pub helo: &'static str,
    pub mail_from: &'static str,
}

impl Client {
    fn new(ip: [u8; 4], helo: &'static str, mail_from: &'static str) -> Self {
        Self { ip: Ipv4Addr::from(ip).into(), helo, mail_from }
    }
}

/// All cases, and the DNS they need.
pub fn cases() -> (Vec<Case>, Zone) {
    let mut zone = Zone::published();
    let rsa: Vec<Key> = (1..=10).map(|number| Key::rsa_2048("example.com", &format!("s{number}"))).collect();
    let ed25519 = Key::ed25519("example.com", "ed");
    let sealers: Vec<Key> = (1..=3).map(|number| Key::rsa_2048("example.org", &format!("arc{number}"))).collect();
    for key in rsa.iter().chain([&ed25519]).chain(&sealers) {
        let (name, text) = key.record();
        zone.publish(&name, &text);
    }
    let microsoft = Client::new([192, 0, 2, 10], "outbound.protection.example.net", "alice@example.com");
    let google = Client::new([203, 0, 113, 10], "mail.google.example", "alice@contoso.com");
    let nest = Client::new([192, 0, 2, 10], "mail.fabrikam.com", "alice@fabrikam.com");

    use Canonicalization::{Relaxed, Simple};
    let sign_all = |message: String, keys: &[Key], body: &[Canonicalization]| {
        keys.iter().zip(body).fold(message, |message, (key, body)| sign::dkim(&message, key, *body))
    };
    let of = |shape: Shape, body: &[Canonicalization]| sign_all(message(shape), &rsa, body);
    let chain = |mut message: String| {
        for (instance, key) in sealers.iter().enumerate() {
            message = sign::arc(&message, key, instance + 1);
        }
        message
    };
    use Shape::{Attachment1M, Multipart27k, Plain2k};
    let mut cases = Vec::new();
    let mut add = |name, task| cases.push(Case { name, task });
    add("dkim 2 kB, no signature", Task::Dkim(of(Plain2k, &[])));
    add("dkim 2 kB, 1 rsa relaxed", Task::Dkim(of(Plain2k, &[Relaxed])));
    add("dkim 2 kB, 2 rsa relaxed", Task::Dkim(of(Plain2k, &[Relaxed; 2])));
    add("dkim 2 kB, 10 rsa relaxed", Task::Dkim(of(Plain2k, &[Relaxed; 10])));
    add("dkim 2 kB, 1 ed25519", Task::Dkim(sign::dkim(&message(Plain2k), &ed25519, Relaxed)));
    add("dkim 27 kB, 1 rsa relaxed", Task::Dkim(of(Multipart27k, &[Relaxed])));
    add("dkim 27 kB, 2 rsa relaxed", Task::Dkim(of(Multipart27k, &[Relaxed; 2])));
    add("dkim 27 kB, relaxed + simple", Task::Dkim(of(Multipart27k, &[Relaxed, Simple])));
    add("dkim 27 kB, 1 ed25519", Task::Dkim(sign::dkim(&message(Multipart27k), &ed25519, Relaxed)));
    add("dkim 1 MB, 1 rsa relaxed", Task::Dkim(of(Attachment1M, &[Relaxed])));
    add("dkim 1 MB, 1 rsa simple", Task::Dkim(of(Attachment1M, &[Simple])));
    add("dkim 1 MB, relaxed + simple", Task::Dkim(of(Attachment1M, &[Relaxed, Simple])));
    add("arc 2 kB, chain of 3", Task::Arc(chain(of(Plain2k, &[Relaxed]))));
    add("spf Microsoft 365", Task::Spf(microsoft.clone()));
    add("spf Google", Task::Spf(google));
    add("spf ten lookups", Task::Spf(nest));
    add("dmarc, record at the author domain", Task::Dmarc(of(Plain2k, &[Relaxed]), microsoft.clone()));
    let walked = {
        let unsigned = message(Plain2k).replace("alice@example.com", "alice@news.eu.mail.adatum.com");
        let client = Client::new([192, 0, 2, 10], "outbound.protection.example.net", "b-1@bounce.adatum.com");
        Task::Dmarc(unsigned, client)
    };
    add("dmarc, tree walk", walked);
    add("everything, 2 kB, 1 rsa", Task::All(of(Plain2k, &[Relaxed]), microsoft.clone()));
    add("everything, 27 kB, 1 rsa", Task::All(of(Multipart27k, &[Relaxed]), microsoft.clone()));
    add("everything, 2 kB, 1 rsa + chain of 3", Task::All(chain(of(Plain2k, &[Relaxed])), microsoft));
    (cases, zone)
}
