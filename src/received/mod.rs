//! The way of a message, as its Received fields tell it (RFC 5322 §3.6.7, RFC 5321 §4.4).
//!
//! Nothing of it is proven: whoever handed the message over may have written every field below the receiver's own. [`client`] finds
//! the hop at which it came in.
//!
//! ```
//! use mailverdict::{Message, received};
//! let raw = b"Received: from a.example (a.example [192.0.2.1]) by mx.example.net with ESMTPS;\r\n Mon, 6 Oct 2025 08:15:05 +0000\r\n\r\n";
//! let message = Message::parse(raw)?;
//! let hops = received::hops(message.header());
//! assert_eq!(hops[0].address, Some([192, 0, 2, 1].into()));
//! assert_eq!(hops[0].time.map(|time| time.to_string()).as_deref(), Some("2025-10-06T08:15:05Z"));
//! # Ok::<(), mailverdict::message::MessageError>(())
//! ```

mod address;
mod address_kind;
mod client;
mod date;
mod hop;

pub use address::address;
pub use address_kind::AddressKind;
pub use client::{NoClient, client};
pub use date::date_time;
pub use hop::Hop;

use crate::message::Header;

/// The hops of a message, from the newest (the top of the header) to the oldest. In a malformed header, those count as well that only
/// some readers see, as behind a bare CR: their place is that of the field that holds them.
pub fn hops(header: &Header<'_>) -> Vec<Hop> {
    let received = header.fields().iter().enumerate().filter(|(_, field)| field.is("Received"));
    let mut hops: Vec<Hop> = received.map(|(field_index, field)| Hop::parse(field_index, field.value())).collect();
    let readings = header.readings("Received");
    if !readings.is_empty() {
        let hidden = readings.iter().filter(|reading| reading.is_another_field());
        hops.extend(hidden.map(|reading| Hop::parse(reading.fields_above, reading.field.value())));
        hops.sort_by_key(|hop| hop.field_index);
    }
    let times: Vec<_> = hops.iter().skip(1).map(|hop| hop.time).chain([None]).collect();
    for (hop, earlier) in hops.iter_mut().zip(times) {
        if let (Some(time), Some(earlier)) = (hop.time, earlier) {
            // Both are below 10,000 AD, far from the limits of the type.
            hop.delay =
                i64::try_from(time.0).ok().zip(i64::try_from(earlier.0).ok()).map(|(time, earlier)| time - earlier);
        }
    }
    hops
}
