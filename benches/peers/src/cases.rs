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
    /// One, or several that are done in turn, as mail from several senders would have it: what serves only the message that was seen
    /// last does not shine there.
    pub tasks: Vec<Task>,
    pub goal: Option<Goal>,
}

/// What mailverdict wants to be, at most, as a ratio to mail-auth with AWS-LC.
#[derive(Clone, Copy)]
pub struct Goal {
    /// As everybody gets it, with cryptography in Rust alone.
    pub default: f64,
    /// With AWS-LC as well; nothing where no signature is verified.
    pub aws_lc: Option<f64>,
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
    const fn new([a, b, c, d]: [u8; 4], helo: &'static str, mail_from: &'static str) -> Self {
        Self { ip: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), helo, mail_from }
    }
}

/// The keys of the cases.
pub struct Keys {
    rsa: Vec<Key>,
    ed25519: Key,
    sealers: Vec<Key>,
}

impl Keys {
    /// Makes the keys and publishes them.
    pub fn published_in(zone: &mut Zone) -> Self {
        let keys = Self {
            rsa: (1..=10).map(|number| Key::rsa_2048("example.com", &format!("s{number}"))).collect(),
            ed25519: Key::ed25519("example.com", "ed"),
            sealers: (1..=3).map(|number| Key::rsa_2048("example.org", &format!("arc{number}"))).collect(),
        };
        for key in keys.rsa.iter().chain([&keys.ed25519]).chain(&keys.sealers) {
            let (name, text) = key.record();
            zone.publish(&name, &text);
        }
        keys
    }

    /// With an RSA signature for each of `bodies`, every one by a key of its own.
    pub fn signed(&self, message: String, bodies: &[Canonicalization]) -> String {
        self.rsa.iter().zip(bodies).fold(message, |message, (key, body)| sign::dkim(&message, key, *body))
    }

    pub fn signed_with_ed25519(&self, message: String) -> String {
        sign::dkim(&message, &self.ed25519, Canonicalization::Relaxed)
    }

    /// As three intermediaries have sealed it.
    pub fn sealed(&self, message: String) -> String {
        self.sealers.iter().zip(1..).fold(message, |message, (key, instance)| sign::arc(&message, key, instance))
    }
}

/// A tenant of Microsoft 365.
pub const MICROSOFT: Client = Client::new([192, 0, 2, 10], "outbound.protection.example.net", "alice@example.com");
/// A tenant of Google Workspace.
pub const GOOGLE: Client = Client::new([203, 0, 113, 10], "mail.google.example", "alice@contoso.com");
/// Ten terms that ask.
pub const NEST: Client = Client::new([192, 0, 2, 10], "mail.fabrikam.com", "alice@fabrikam.com");
/// A newsletter with a subdomain for bounces.
pub const BOUNCE: Client = Client::new([192, 0, 2, 10], "outbound.protection.example.net", "b-1@bounce.adatum.com");

/// Tenants of Microsoft 365, each with a domain, a key and a DMARC record of its own.
struct Senders(Vec<Key>);

impl Senders {
    fn published_in(zone: &mut Zone) -> Self {
        let keys: Vec<Key> = (1..=16).map(|n| Key::rsa_2048(&format!("tenant{n}.example"), "selector1")).collect();
        for key in &keys {
            let (name, text) = key.record();
            zone.publish(&name, &text);
            zone.publish(&key.domain, "v=spf1 include:spf.protection.example.net -all");
            let record = format!("v=DMARC1; p=reject; rua=mailto:dmarc@{0}; adkim=r; aspf=r", key.domain);
            zone.publish(&format!("_dmarc.{}", key.domain), &record);
        }
        zone.absent.push("_dmarc.example".into());
        Self(keys)
    }

    /// A message of 2 kB from each, with one signature.
    fn tasks(&self, task: impl Fn(String, Client) -> Task) -> Vec<Task> {
        let of = |key: &Key| {
            let author = format!("alice@{}", key.domain);
            let message = sign::dkim(&from(&message(Shape::Plain2k), &author), key, Canonicalization::Relaxed);
            // Made once and never given back, as those of the other cases.
            task(message, Client { mail_from: author.leak(), ..MICROSOFT })
        };
        self.0.iter().map(of).collect()
    }
}

/// More clients of the tenant than any memory of evaluations holds, each in its turn.
fn clients() -> impl Iterator<Item = Client> {
    (0..16).flat_map(|c| (0..=255).map(move |d| Client { ip: IpAddr::V4(Ipv4Addr::new(198, 18, c, d)), ..MICROSOFT }))
}

/// The same from another author.
pub fn from(message: &str, author: &str) -> String {
    message.replace("alice@example.com", author)
}

/// All cases, and the DNS they need.
pub fn cases() -> (Vec<Case>, Zone) {
    use Canonicalization::{Relaxed, Simple};
    use Shape::{Attachment1M, Multipart27k, Plain2k};
    use Task::{All, Arc, Dkim, Dmarc, Spf};

    let mut zone = Zone::published();
    let keys = Keys::published_in(&mut zone);
    let of = |shape, bodies: &[Canonicalization]| keys.signed(message(shape), bodies);
    let ed25519 = |shape| keys.signed_with_ed25519(message(shape));
    let chain = |shape| keys.sealed(of(shape, &[Relaxed]));
    let senders = Senders::published_in(&mut zone);
    let case = |name, task| Case { name, tasks: vec![task], goal: None };
    let goals = |name, default, aws_lc, tasks| Case { name, tasks, goal: Some(Goal { default, aws_lc }) };
    let goal = |name, default, aws_lc, task| goals(name, default, aws_lc, vec![task]);
    let cases = vec![
        case("dkim 2 kB, no signature", Dkim(of(Plain2k, &[]))),
        goal("dkim 2 kB, 1 rsa relaxed", 1.05, Some(0.80), Dkim(of(Plain2k, &[Relaxed]))),
        case("dkim 2 kB, 2 rsa relaxed", Dkim(of(Plain2k, &[Relaxed; 2]))),
        case("dkim 2 kB, 10 rsa relaxed", Dkim(of(Plain2k, &[Relaxed; 10]))),
        goals("dkim 2 kB, 1 rsa relaxed, 16 senders", 1.05, Some(0.80), senders.tasks(|message, _| Dkim(message))),
        goal("dkim 2 kB, 1 ed25519", 0.85, Some(0.85), Dkim(ed25519(Plain2k))),
        case("dkim 27 kB, no signature", Dkim(of(Multipart27k, &[]))),
        goal("dkim 27 kB, 1 rsa relaxed", 0.85, Some(0.70), Dkim(of(Multipart27k, &[Relaxed]))),
        goal("dkim 27 kB, 2 rsa relaxed", 0.92, Some(0.75), Dkim(of(Multipart27k, &[Relaxed; 2]))),
        case("dkim 27 kB, 10 rsa relaxed", Dkim(of(Multipart27k, &[Relaxed; 10]))),
        case("dkim 27 kB, relaxed + simple", Dkim(of(Multipart27k, &[Relaxed, Simple]))),
        case("dkim 27 kB, 1 ed25519", Dkim(ed25519(Multipart27k))),
        case("dkim 1 MB, no signature", Dkim(of(Attachment1M, &[]))),
        goal("dkim 1 MB, 1 rsa relaxed", 0.92, Some(0.92), Dkim(of(Attachment1M, &[Relaxed]))),
        case("dkim 1 MB, 1 rsa simple", Dkim(of(Attachment1M, &[Simple]))),
        case("dkim 1 MB, 2 rsa relaxed", Dkim(of(Attachment1M, &[Relaxed; 2]))),
        goal("dkim 1 MB, relaxed + simple", 0.88, Some(0.88), Dkim(of(Attachment1M, &[Relaxed, Simple]))),
        case("dkim 1 MB, 10 rsa relaxed", Dkim(of(Attachment1M, &[Relaxed; 10]))),
        case("dkim 1 MB, 1 ed25519", Dkim(ed25519(Attachment1M))),
        case("arc 2 kB, chain of 3", Arc(chain(Plain2k))),
        case("arc 27 kB, chain of 3", Arc(chain(Multipart27k))),
        goal("spf Microsoft 365", 0.25, None, Spf(MICROSOFT)),
        goals("spf Microsoft 365, 16 senders", 0.25, None, senders.tasks(|_, client| Spf(client))),
        Case { name: "spf Microsoft 365, 4096 clients", tasks: clients().map(Spf).collect(), goal: None },
        case("spf Google", Spf(GOOGLE)),
        goal("spf ten lookups", 0.25, None, Spf(NEST)),
        goal("dmarc, record at the author domain", 0.30, None, Dmarc(of(Plain2k, &[Relaxed]), MICROSOFT)),
        goals("dmarc, record at the author domain, 16 senders", 0.30, None, senders.tasks(Dmarc)),
        goal("dmarc, tree walk", 0.30, None, Dmarc(from(&message(Plain2k), "alice@news.eu.mail.adatum.com"), BOUNCE)),
        goal("everything, 2 kB, 1 rsa", 1.05, Some(0.80), All(of(Plain2k, &[Relaxed]), MICROSOFT)),
        goals("everything, 2 kB, 1 rsa, 16 senders", 1.05, Some(0.80), senders.tasks(All)),
        goal("everything, 27 kB, 1 rsa", 0.85, Some(0.70), All(of(Multipart27k, &[Relaxed]), MICROSOFT)),
        case("everything, 2 kB, 1 rsa + chain of 3", All(chain(Plain2k), MICROSOFT)),
        case("everything, 27 kB, 1 rsa + chain of 3", All(chain(Multipart27k), MICROSOFT)),
    ];
    (cases, zone)
}
