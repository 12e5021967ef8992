//! Where mail servers connect.

use serde::{Deserialize, Deserializer, de::Error as _};
use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};

/// A place to listen at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// `inet:HOST:PORT` or `inet:[IPv6]:PORT`.
    Inet(SocketAddr),
    /// `unix:PATH`.
    Unix(PathBuf),
}

const EXPECTED: &str = "expected a place to listen at, such as \"inet:127.0.0.1:8891\", \"inet:[::1]:8891\" or \"unix:/run/mailverdict/milter.sock\"";

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("\"{}\": {EXPECTED}", text.escape_debug());
        match text.split_once(':') {
            Some(("inet", place)) => {
                let place = place
                    .strip_prefix("localhost:")
                    .map_or_else(|| place.to_owned(), |port| format!("127.0.0.1:{port}"));
                place.parse().map(Self::Inet).map_err(|_| bad())
            }
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(_) | None => Err(bad()),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(address) => write!(f, "inet:{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_shown() {
        for text in ["inet:127.0.0.1:8891", "inet:[::1]:8891", "unix:/run/x.sock"] {
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), text);
        }
        assert_eq!("inet:localhost:25".parse::<Listen>().unwrap().to_string(), "inet:127.0.0.1:25");
        for text in ["", "127.0.0.1:8891", "inet:mx.example:25", "inet:127.0.0.1", "unix:", "unix:relative", "tcp:1:2"]
        {
            assert!(text.parse::<Listen>().unwrap_err().contains("expected a place to listen at"), "{text}");
        }
    }
}
