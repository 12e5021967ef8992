//! What the day holds, to be told ahead of its figures.

use super::{domains::Kind, letters::Fault, stream::Stream};
use std::collections::{HashMap, HashSet};

/// Prints the shares that the stream came to.
pub fn print(stream: &Stream) {
    let messages = stream.len();
    let share = |holds: &dyn Fn(usize) -> bool| {
        100.0 * (0..messages).filter(|number| holds(*number)).count() as f64 / messages as f64
    };
    let sum = |of: &dyn Fn(usize) -> usize| (0..messages).map(of).sum::<usize>();
    let domains: HashSet<&str> = (0..messages).map(|number| &*stream.domain(number).name).collect();
    let mut pairs: HashMap<_, usize> = HashMap::new();
    for number in 0..messages {
        *pairs.entry((stream.client(number).0, &*stream.letter(number).mail_from)).or_default() += 1;
    }
    let once = pairs.values().filter(|count| **count == 1).count();
    println!(
        "{messages} messages of {} domains, {:.1} kB on an average; {} letters; {:.2} signatures a message, \
         {:.1} % without one; {:.1} % with an ARC chain of {:.2} sets; {:.1} % broken.",
        domains.len(),
        sum(&|number| stream.octets(number)) as f64 / messages as f64 / 1000.0,
        stream.letters(),
        sum(&|number| stream.letter(number).signatures) as f64 / messages as f64,
        share(&|number| stream.letter(number).signatures == 0),
        share(&|number| stream.letter(number).sets > 0),
        sum(&|number| stream.letter(number).sets) as f64
            / (0..messages).filter(|n| stream.letter(*n).sets > 0).count() as f64,
        share(&|number| stream.letter(number).fault != Fault::Nothing),
    );
    println!(
        "Of the messages, {:.1} % are of Microsoft-like domains, {:.1} % of Google-like ones, {:.1} % of domains with DMARC, \
         {:.1} % from subdomains. {} pairs of client and MAIL FROM domain, of which {:.0} % come once ({:.0} % of the messages).",
        share(&|number| stream.domain(number).kind == Kind::Microsoft),
        share(&|number| stream.domain(number).kind == Kind::Google),
        share(&|number| stream.domain(number).has_dmarc),
        share(&|number| stream.letter(number).is_from_subdomain),
        pairs.len(),
        100.0 * once as f64 / pairs.len() as f64,
        100.0 * once as f64 / messages as f64,
    );
}

/// Prints one message: its envelope, its header, and what the DNS holds at its reverse-path.
pub fn show(stream: &Stream, number: usize) {
    let mails = stream.mails(number..number + 1);
    let Some(mail) = mails.first() else { return };
    println!("{} HELO {} MAIL FROM {}", mail.ip, mail.helo, mail.mail_from);
    let (_, domain) = mail.mail_from.split_once('@').expect("a mailbox");
    for name in [domain.to_owned(), mail.helo.clone(), format!("_dmarc.{}", stream.domain(number).name)] {
        let text = stream.records.nodes.get(&name).and_then(|node| node.txt.as_ref());
        println!("{name} TXT {}", text.map_or("-", |(_, text)| text));
    }
    println!("{}", mail.raw.split("\r\n\r\n").next().expect("a header"));
}
