//! Values that are texts in the file.

use ipnet::IpNet;
use mailverdict::name::Domain;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// The longest time: a year.
const MAX_SECONDS: f64 = 31_536_000.0;

pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    if !(seconds > 0.0 && seconds <= MAX_SECONDS) {
        return Err(D::Error::custom(format!("{seconds}: expected a number of seconds above 0")));
    }
    Duration::try_from_secs_f64(seconds).map_err(D::Error::custom)
}

pub(super) fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let read = |text: &String| {
        let alone = || text.parse::<IpAddr>().map(|ip| IpNet::from(ip.to_canonical()));
        text.parse().or_else(|_| alone()).map_err(|_| {
            D::Error::custom(format!("\"{}\": expected a network, such as 192.0.2.0/24", text.escape_debug()))
        })
    };
    Vec::<String>::deserialize(deserializer)?.iter().map(read).collect()
}

pub(super) fn servers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SocketAddr>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| server(text).map_err(D::Error::custom)).collect()
}

/// A name would have to be asked of the very server that it names.
fn server(text: &str) -> Result<SocketAddr, String> {
    let alone = || text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
    text.parse()
        .or_else(|_| alone())
        .map_err(|_| format!("\"{}\": expected the address of a DNS server, such as 127.0.0.1:53", text.escape_debug()))
}

pub(super) fn socket<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bad = || {
        D::Error::custom(format!("\"{}\": expected an address and a port, such as 127.0.0.1:9464", text.escape_debug()))
    };
    text.parse().map(Some).map_err(|_| bad())
}

pub(super) fn domains<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Domain>, D::Error> {
    let read = |text: &String| {
        Domain::parse(text).map_err(|error| D::Error::custom(format!("\"{}\": {error}", text.escape_debug())))
    };
    Vec::<String>::deserialize(deserializer)?.iter().map(read).collect()
}

/// RFC 8601 §2.5 has any text; a name is what others compare with, and what needs no quotes.
pub(super) fn authserv_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() || text.len() > 255 || !text.bytes().all(|octet| octet.is_ascii_graphic() && octet != b';') {
        let shown = text.escape_debug();
        return Err(D::Error::custom(format!(
            "\"{shown}\": expected a name of printable ASCII without spaces, such as mx.example.net"
        )));
    }
    Ok(text)
}

pub(super) fn mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let text = String::deserialize(deserializer)?;
    let mode = u32::from_str_radix(&text, 8).ok().filter(|mode| *mode <= 0o777);
    mode.ok_or_else(|| {
        D::Error::custom(format!("\"{}\": expected permissions in octal, such as \"0660\"", text.escape_debug()))
    })
}
