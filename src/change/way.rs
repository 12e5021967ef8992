//! The hosts that a message went through, as its Received fields tell.

use crate::{
    message::Header,
    received::{self, Hop},
    session::Session,
};

/// Hops that are looked at.
const MAX_HOPS: usize = 100;

/// The hops from the newest to the oldest.
#[derive(Debug)]
pub(super) struct Way {
    hops: Vec<Hop>,
    /// The hop at which the message came in, where the session or the fields tell.
    border: Option<usize>,
}

impl Way {
    pub(super) fn of(header: &Header<'_>, session: &Session) -> Self {
        let mut hops = received::hops(header);
        hops.truncate(MAX_HOPS);
        let of_session = || {
            let ip = session.peer_ip?.to_canonical();
            hops.iter().position(|hop| hop.address.map(|address| address.to_canonical()) == Some(ip))
        };
        let of_fields = || {
            let client = received::client(&hops, |_| false).ok()?;
            hops.iter().position(|hop| hop.field_index == client.field_index)
        };
        let border = of_session().or_else(of_fields);
        Self { hops, border }
    }

    /// The hop at which the receiver got the message: where none is known to be that, the newest that tells its time.
    pub(super) fn received(&self) -> Option<&Hop> {
        let border = self.border.and_then(|at| self.hops.get(at)).filter(|hop| hop.time.is_some());
        border.or_else(|| self.hops.iter().find(|hop| hop.time.is_some()))
    }

    /// The newest hop to a host of this name.
    pub(super) fn by(&self, host: &str) -> Option<&Hop> {
        let is_it = |hop: &&Hop| hop.by.as_deref().is_some_and(|by| is_same(by, host));
        self.hops.iter().find(is_it)
    }

    /// The host that got the message next from the one of this hop; it stands above.
    pub(super) fn after(&self, hop: &Hop) -> Option<&Hop> {
        let at = self.hops.iter().position(|other| other.field_index == hop.field_index)?;
        self.hops.get(at.checked_sub(1)?)
    }

    /// The hosts that have handed the message on, the oldest first.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hops.iter().rev().filter_map(|hop| hop.by.as_deref())
    }
}

/// Names of hosts, without a final dot and in whatever case.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    let bare = |name: &'_ str| name.trim_end_matches('.').to_ascii_lowercase();
    bare(one) == bare(other)
}
