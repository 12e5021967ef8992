//! Headers of messages as they arrive, ahead of their signatures.

use super::random::Random;

/// What a header is made of.
pub struct Header<'a> {
    /// The name of the author domain.
    pub author: &'a str,
    /// The name of a host that the message passed.
    pub host: &'a str,
    pub content_type: &'a str,
}

const SUBJECTS: [&str; 8] = [
    "Re: delivery schedule for the last quarter",
    "Your invoice for October",
    "Meeting on Monday",
    "=?utf-8?Q?Best=C3=A4tigung_Ihrer_Bestellung?=",
    "New sign-in to your account",
    "This week: eleven things that you should not miss, and one that you may",
    "Fwd: contract, second draft",
    "Your parcel is on its way",
];

const HEX: &[u8; 16] = b"0123456789abcdef";

fn hex(random: &mut Random, digits: usize) -> String {
    (0..digits).map(|_| char::from(HEX[random.below(16)])).collect()
}

/// Two to six Received fields, the usual ones, and none to twelve that mean something to their sender: 1 to 4 kB.
pub fn header(of: &Header<'_>, random: &mut Random) -> String {
    let Header { author, host, content_type } = of;
    let mut header = String::new();
    for hop in 0..2 + random.below(5) {
        header += &format!(
            "Received: from hop{hop}.{host} (hop{hop}.{host} [192.0.2.{}])\r\n\
             \tby mx{hop}.{host} (Postfix) with ESMTPS id {}\r\n\
             \tfor <bob@example.org>; Tue, 14 Nov 2023 22:13:{:02} +0000 (UTC)\r\n",
            random.below(256),
            hex(random, 12),
            59 - hop,
        );
    }
    header += &format!(
        "From: \"Alice Example\" <alice@{author}>\r\n\
         To: Bob <bob@example.org>\r\n\
         Subject: {}\r\n\
         Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n\
         Message-ID: <{}@{author}>\r\n",
        random.among(&SUBJECTS),
        hex(random, 32),
    );
    if random.chance(0.3) {
        let id = hex(random, 24);
        header += &format!("In-Reply-To: <{id}@example.org>\r\nReferences: <{id}@example.org>\r\n");
    }
    if random.chance(0.4) {
        header += &format!(
            "List-Unsubscribe: <https://news.{author}/u/{}>,\r\n <mailto:unsubscribe@{author}?subject={}>\r\n\
             List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\
             Reply-To: Service <service@{author}>\r\n",
            hex(random, 40),
            hex(random, 16),
        );
    }
    header += &format!("MIME-Version: 1.0\r\nContent-Type: {content_type}\r\n");
    for field in 0..random.below(13) {
        let digits = 12 + random.below(150);
        header += &format!("X-Feature-{field}-Data: {}\r\n", hex(random, digits));
    }
    header
}
