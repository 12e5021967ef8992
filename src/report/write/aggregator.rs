//! Rows of many messages, added up: in memory up to a bound, and beyond that in files.

use super::{
    super::row::Row,
    observation::Observation,
    runs::{Entries, Entry, Runs},
    topic::Topic,
};
use std::{collections::BTreeMap, io, path::PathBuf};

/// Adds up what was seen, message by message; rows that are equal become one.
///
/// So many rows are kept in memory, and the others in files of a folder, which are removed at the end. What comes out does not depend on
/// the order in which messages came, nor on how much stood in files.
///
/// ```
/// use mailverdict::{Authenticator, Message, Session, dns::Zone, report::{Aggregator, Observation}};
/// use std::net::Ipv4Addr;
/// let zone = Zone::parse("_dmarc.contoso.com. TXT \"v=DMARC1; p=reject; rua=mailto:r@contoso.com\"", "zone").unwrap();
/// let message = Message::parse(b"From: alice@contoso.com\r\n\r\n")?;
/// let session = Session::new(Ipv4Addr::new(192, 0, 2, 66));
/// let verdict = Authenticator::new(zone).authenticate_at_once(&message, session.clone());
/// let mut aggregator = Aggregator::new(std::env::temp_dir(), 100_000);
/// for _ in 0..3 {
///     aggregator.add(Observation::of(&verdict, &session).unwrap())?;
/// }
/// aggregator.finish(|topic, rows| {
///     assert_eq!(&*topic.domain, "contoso.com");
///     assert_eq!(rows.next().unwrap()?.count, 3);
///     Ok::<(), std::io::Error>(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Aggregator {
    rows: BTreeMap<Topic, BTreeMap<Row, u64>>,
    /// Rows in memory.
    count: usize,
    most: usize,
    runs: Runs,
}

impl Aggregator {
    /// Keeps up to `most` rows in memory, each of some hundred octets, and the others in files of the folder.
    pub fn new(folder: PathBuf, most: usize) -> Self {
        Self { rows: BTreeMap::new(), count: 0, most: most.max(1), runs: Runs::new(folder) }
    }

    /// Adds one message, or as many as the row counts.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn add(&mut self, observation: Observation) -> io::Result<()> {
        let Observation { policy_domain, policy, discovery_method: _, rua, errors, mut row } = observation;
        let topic = Topic { domain: policy_domain, policy, rua, errors };
        let count = std::mem::take(&mut row.count);
        let sum = self.rows.entry(topic).or_default().entry(row).or_insert_with(|| {
            self.count += 1;
            0
        });
        *sum = sum.saturating_add(count);
        if self.count >= self.most {
            let entries = self.entries_in_memory();
            self.runs.write(entries)?;
            self.count = 0;
        }
        Ok(())
    }

    /// Hands out each report in the order of its domain, with its rows one by one in an order of their own.
    ///
    /// # Errors
    /// Where a file cannot be read again, and what `write` says.
    pub fn finish<E: From<io::Error>>(
        mut self,
        mut write: impl FnMut(&Topic, &mut dyn Iterator<Item = io::Result<Row>>) -> Result<(), E>,
    ) -> Result<(), E> {
        let in_memory = self.entries_in_memory();
        let mut entries = self.runs.merged(in_memory)?;
        while let Some(topic) = entries.topic() {
            write(&topic, &mut Rows { topic: &topic, entries: &mut entries })?;
            // What was not taken.
            let rest = Rows { topic: &topic, entries: &mut entries };
            for row in rest {
                row?;
            }
        }
        Ok(())
    }

    fn entries_in_memory(&mut self) -> impl Iterator<Item = Entry> + use<> {
        std::mem::take(&mut self.rows).into_iter().flat_map(|(topic, rows)| {
            rows.into_iter().map(move |(row, count)| Entry { topic: topic.clone(), row, count })
        })
    }
}

/// The rows of one report.
struct Rows<'e, 't> {
    topic: &'t Topic,
    entries: &'e mut Entries,
}

impl Iterator for Rows<'_, '_> {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.entries.next_of(self.topic)?.map(|Entry { mut row, count, .. }| {
            row.count = count;
            row
        }))
    }
}
