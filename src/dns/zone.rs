//! A zone held in memory.

use super::{
    Answer, AnyAnswer, AnyLookup, Details, EndlessAliases, Lookup, LookupError, MAX_CNAME_CHAIN, Mx, Question,
    RecordType, Records, Resolver,
    master_file::{self, Data},
    records::Held,
    reverse_name,
    zone_error::ZoneError,
};
use crate::name::Name;
use smallvec::SmallVec;
use std::{
    collections::{HashMap, HashSet},
    future::{Future, ready},
    hash::{BuildHasherDefault, Hash, Hasher},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::Path,
    sync::{Arc, OnceLock},
};

/// A zone, or several, held in memory: every answer is ready at the first poll.
///
/// - A name that is not there does not exist ([`Answer::NxDomain`]); a name that has no record of the type asked for, or is there
///   only because names below it are (an empty non-terminal, RFC 4592 §2.2.2), has no data ([`Answer::NoData`]).
/// - CNAME records are followed, at most [`MAX_CNAME_CHAIN`] of them; more, or a circle, is [`LookupError::EndlessAliases`].
/// - Wildcards match as RFC 4592 §3.3.1 has it: only from the closest encloser, and never a name that exists.
/// - A record that stands there twice counts once (RFC 2181 §5).
/// - There are no zone cuts: NS and SOA records only make their names exist.
/// - Answers tell the aliases that were followed, and the TTL that their records have in a master file: the shortest of a set (RFC 2181
///   §5.2) and of the aliases before it. Records that are added in code have none. Emptiness has none either, without an SOA record.
///
/// ```
/// use mailverdict::{dns::{Resolver, Zone}, name::Name};
/// let zone = Zone::parse("$ORIGIN example.com.\n@ TXT \"v=spf1 mx -all\"\n  MX 10 mail\nmail A 192.0.2.1\n", "example.zone")?;
/// # let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
/// let name = Name::parse("mail.example.com").unwrap();
/// let mut question = std::pin::pin!(zone.a(&name));
/// # use std::future::Future;
/// let std::task::Poll::Ready(Ok(answer)) = question.as_mut().poll(&mut cx) else { panic!() };
/// assert_eq!(answer.records(), [std::net::Ipv4Addr::new(192, 0, 2, 1)]);
///
/// let error = Zone::parse("mail.example.com. A 192.0.2.256", "bad.zone").unwrap_err();
/// assert_eq!(error.to_string(), "bad.zone:1: expected an IPv4 address, found \"192.0.2.256\"");
/// # Ok::<(), mailverdict::dns::ZoneError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Zone {
    nodes: HashMap<Name, Node, BuildHasherDefault<NameHasher>>,
    /// Whether any label is `*`; most zones have none, and then no closest encloser need be sought.
    wildcards: bool,
}

/// What stands at one name.
#[derive(Clone, Debug, Default)]
struct Node {
    cname: Option<Alias>,
    txt: RecordSet<Box<[u8]>>,
    a: RecordSet<Ipv4Addr>,
    aaaa: RecordSet<Ipv6Addr>,
    mx: RecordSet<Mx>,
    ptr: RecordSet<Name>,
    planted: Vec<(RecordType, LookupError)>,
}

/// A CNAME record.
#[derive(Clone, Debug)]
struct Alias {
    target: Name,
    /// In seconds.
    ttl: Option<u32>,
}

/// Records of one type, in the order in which they were added; shared with answers from the first question on.
#[derive(Clone, Debug)]
struct RecordSet<T> {
    added: Vec<T>,
    shared: OnceLock<Arc<Held<T>>>,
    /// The shortest, in seconds.
    ttl: Option<u32>,
}

impl<T> Default for RecordSet<T> {
    fn default() -> Self {
        Self { added: Vec::new(), shared: OnceLock::new(), ttl: None }
    }
}

impl<T: Clone + Eq + Hash> RecordSet<T> {
    fn add(&mut self, record: T, ttl: Option<u32>) {
        self.added.push(record);
        self.shared = OnceLock::new();
        // RFC 2181 §5.2: where the TTLs of a set differ, the lowest counts.
        self.ttl = shortest(self.ttl, ttl);
    }

    /// The answer behind aliases of these details.
    fn answer(&self, aliases: Details) -> Answer<T> {
        if self.added.is_empty() {
            return Answer::NoData(aliases.with_ttl(None));
        }
        let held = self.shared.get_or_init(|| {
            // RFC 2181 §5: duplicates within a set are suppressed.
            let mut seen = HashSet::with_capacity(self.added.len());
            Arc::new(Held::new(self.added.iter().filter(|record| seen.insert(*record)).cloned()))
        });
        let ttl = shortest(aliases.ttl(), self.ttl);
        Answer::Records(Records::sharing(held, aliases.with_ttl(ttl)))
    }
}

/// The shortest of those that there are.
fn shortest(ttl: Option<u32>, other: Option<u32>) -> Option<u32> {
    ttl.into_iter().chain(other).min()
}

/// A fast hash for names. The names of a zone are chosen by its owner, and strangers only look them up, so nobody gains by names
/// that collide.
#[derive(Clone, Copy, Debug, Default)]
struct NameHasher(u64);

impl NameHasher {
    fn mix(&mut self, word: u64) {
        // An odd number without a pattern: the fraction of the golden ratio.
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for NameHasher {
    fn write(&mut self, octets: &[u8]) {
        let (words, rest) = octets.as_chunks::<8>();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        self.mix(rest.iter().fold(0, |word, octet| word << 8 | u64::from(*octet)));
    }

    fn write_u8(&mut self, octet: u8) {
        self.mix(octet.into());
    }

    /// The multiplication leaves the lower bits, by which a table chooses its place, the weaker ones.
    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}

impl Zone {
    /// Without any name: every answer is [`Answer::NxDomain`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a master file (RFC 1035 §5.1); `file` is what errors call it. See [`with`](Self::with).
    ///
    /// # Errors
    /// [`ZoneError`] says the line and what was expected there.
    pub fn parse(text: impl AsRef<[u8]>, file: &str) -> Result<Self, ZoneError> {
        Self::new().with(text, file)
    }

    /// Reads master files from disk, all into one zone.
    ///
    /// # Errors
    /// [`ZoneError`] for the first file that cannot be read or is no master file; there is no zone then.
    pub fn read<P: AsRef<Path>>(files: impl IntoIterator<Item = P>) -> Result<Self, ZoneError> {
        files.into_iter().try_fold(Self::new(), |zone, path| {
            let file = path.as_ref().to_string_lossy();
            let text = std::fs::read(path.as_ref()).map_err(|error| ZoneError::unreadable(&file, &error))?;
            zone.with(text, &file)
        })
    }

    /// Adds the records of a master file (RFC 1035 §5.1); `file` is what errors call it.
    ///
    /// `$ORIGIN` and `$TTL` (RFC 2308 §4), comments, parentheses, `@`, blank owners, quoted strings and the escapes `\X` and
    /// `\DDD` are understood; TTL and class may stand in either order. Before the first `$ORIGIN` names are relative to the root.
    /// A, AAAA, MX, PTR, TXT and CNAME records are kept; those of other known types are read over, and their names exist.
    /// A character-string of more than 255 octets, which has no form on the wire, is taken as if it were split, since DNS
    /// providers take it so as well; a TXT record of more than 65,535 octets on the wire is refused.
    ///
    /// The parser of hickory-proto (0.26) was considered and not used: it reads a quoted string within parentheses wrongly (at a
    /// semicolon, as in every DKIM key, the rest of the line is lost without an error), its errors tell no line, and a zone in
    /// memory has to work without the feature `hickory`.
    ///
    /// # Errors
    /// [`ZoneError`] says the line and what was expected there. `$INCLUDE`, DNAME, dots escaped within a label and a CNAME beside
    /// other data (RFC 1034 §3.6.2) are errors.
    pub fn with(mut self, text: impl AsRef<[u8]>, file: &str) -> Result<Self, ZoneError> {
        for record in master_file::read(text.as_ref(), file)? {
            let node = self.node(&record.owner);
            let present = node.cname.as_ref();
            let clash = match &record.data {
                Data::Cname(target) => node.has_data() || present.is_some_and(|present| present.target != *target),
                Data::Other => false,
                Data::Txt(_) | Data::A(_) | Data::Aaaa(_) | Data::Mx(_) | Data::Ptr(_) => present.is_some(),
            };
            if clash {
                return Err(ZoneError::cname_beside_data(file, record.line, &record.owner));
            }
            let ttl = record.ttl;
            match record.data {
                Data::Txt(text) => node.txt.add(text, ttl),
                Data::A(ip) => node.a.add(ip, ttl),
                Data::Aaaa(ip) => node.aaaa.add(ip, ttl),
                Data::Mx(mx) => node.mx.add(mx, ttl),
                Data::Ptr(name) => node.ptr.add(name, ttl),
                Data::Cname(target) => {
                    let ttl = shortest(ttl, present.and_then(|present| present.ttl));
                    node.cname = Some(Alias { target, ttl });
                }
                Data::Other => {}
            }
        }
        Ok(self)
    }

    /// Makes a name exist, without any record.
    pub fn add_name(&mut self, name: &Name) -> &mut Self {
        self.node(name);
        self
    }

    /// Adds a TXT record; `text` is the record's character-strings joined.
    pub fn add_txt(&mut self, name: &Name, text: impl Into<Box<[u8]>>) -> &mut Self {
        self.node(name).txt.add(text.into(), None);
        self
    }

    /// Adds an A record.
    pub fn add_a(&mut self, name: &Name, ip: Ipv4Addr) -> &mut Self {
        self.node(name).a.add(ip, None);
        self
    }

    /// Adds an AAAA record.
    pub fn add_aaaa(&mut self, name: &Name, ip: Ipv6Addr) -> &mut Self {
        self.node(name).aaaa.add(ip, None);
        self
    }

    /// Adds an MX record.
    pub fn add_mx(&mut self, name: &Name, preference: u16, exchange: Name) -> &mut Self {
        self.node(name).mx.add(Mx { preference, exchange }, None);
        self
    }

    /// Adds a PTR record for an address.
    pub fn add_ptr(&mut self, ip: IpAddr, name: Name) -> &mut Self {
        self.node(&reverse_name(ip)).ptr.add(name, None);
        self
    }

    /// Makes a name an alias, in place of whatever else stands there.
    pub fn add_cname(&mut self, name: &Name, target: Name) -> &mut Self {
        self.node(name).cname = Some(Alias { target, ttl: None });
        self
    }

    /// Plants a failure: questions for this name and type are answered with `error`, whatever records there are. The name exists.
    pub fn plant(&mut self, name: &Name, record_type: RecordType, error: LookupError) -> &mut Self {
        let planted = &mut self.node(name).planted;
        planted.retain(|(present, _)| *present != record_type);
        planted.push((record_type, error));
        self
    }

    /// Whether records, an alias or a failure stand at this name, or at the wildcard that answers for it.
    pub fn has_records(&self, name: &Name) -> bool {
        self.find(name).is_some_and(|node| node.has_data() || node.cname.is_some() || !node.planted.is_empty())
    }

    /// The node of a name, to which something is added, made to exist together with the empty non-terminals above it.
    fn node(&mut self, name: &Name) -> &mut Node {
        if !self.nodes.contains_key(name) {
            self.wildcards |= name.labels().any(|label| label == "*");
            let mut above = name.parent();
            while let Some(ancestor) = above.filter(|ancestor| !self.nodes.contains_key(ancestor)) {
                above = ancestor.parent();
                self.nodes.insert(ancestor, Node::default());
            }
        }
        self.nodes.entry(name.clone()).or_default()
    }

    /// The node that answers for a name: its own, or else the wildcard's (RFC 4592 §3.3.1).
    fn find(&self, name: &Name) -> Option<&Node> {
        if let Some(node) = self.nodes.get(name) {
            return Some(node);
        }
        if !self.wildcards {
            return None;
        }
        let ancestors = name.as_str().match_indices('.').filter_map(|(dot, _)| name.as_str().get(dot + 1..));
        // RFC 4592 §3.3.1: the closest encloser is the longest ancestor that exists; its child `*` is the only one that may match.
        let encloser = ancestors.chain([""]).find(|ancestor| self.nodes.contains_key(*ancestor))?;
        let wildcard = if encloser.is_empty() { "*".to_owned() } else { format!("*.{encloser}") };
        self.nodes.get(wildcard.as_str())
    }

    fn answer<T: Clone + Eq + Hash>(
        &self,
        name: &Name,
        record_type: RecordType,
        records: impl Fn(&Node) -> &RecordSet<T>,
    ) -> Lookup<T> {
        let (end, aliases) = match self.find(name) {
            Some(node) => match node.alias(record_type)? {
                Some(alias) => self.follow(name, alias, record_type)?,
                None => (Some(node), Details::default()),
            },
            None => (None, Details::default()),
        };
        Ok(match end {
            Some(node) => records(node).answer(aliases),
            None => Answer::NxDomain(aliases.with_ttl(None)),
        })
    }

    /// The node at the end of a chain, `None` where there is no such name, and what is told of the aliases on the way.
    fn follow(
        &self,
        asked: &Name,
        first: &Alias,
        record_type: RecordType,
    ) -> Result<(Option<&Node>, Details), LookupError> {
        let mut names: SmallVec<[&Name; 4]> = SmallVec::new();
        let (mut alias, mut ttl) = (first, None);
        loop {
            if names.len() == MAX_CNAME_CHAIN {
                // RFC 1034 §3.6.2: "CNAME chains should be followed and CNAME loops signalled as an error".
                let names = names.iter().copied().cloned();
                return Err(LookupError::EndlessAliases(EndlessAliases::new(asked, names)));
            }
            names.push(&alias.target);
            ttl = shortest(ttl, alias.ttl);
            let end = self.find(&alias.target);
            match end.map(|node| node.alias(record_type)).transpose()?.flatten() {
                Some(next) => alias = next,
                None => {
                    let names = names.iter().copied().cloned();
                    return Ok((end, Details::default().with_ttl(ttl).with_aliases(names)));
                }
            }
        }
    }
}

impl Node {
    /// The alias that stands here, or the failure that is planted for this type.
    fn alias(&self, record_type: RecordType) -> Result<Option<&Alias>, LookupError> {
        match self.planted.iter().find(|(planted, _)| *planted == record_type) {
            Some((_, error)) => Err(error.clone()),
            None => Ok(self.cname.as_ref()),
        }
    }

    fn has_data(&self) -> bool {
        let Self { cname: _, txt, a, aaaa, mx, ptr, planted: _ } = self;
        let empty = txt.added.is_empty() && a.added.is_empty() && aaaa.added.is_empty();
        !(empty && mx.added.is_empty() && ptr.added.is_empty())
    }
}

impl Resolver for Zone {
    fn txt(&self, name: &Name) -> impl Future<Output = Lookup<Box<[u8]>>> + Send {
        ready(self.answer(name, RecordType::Txt, |node| &node.txt))
    }
    fn a(&self, name: &Name) -> impl Future<Output = Lookup<Ipv4Addr>> + Send {
        ready(self.answer(name, RecordType::A, |node| &node.a))
    }
    fn aaaa(&self, name: &Name) -> impl Future<Output = Lookup<Ipv6Addr>> + Send {
        ready(self.answer(name, RecordType::Aaaa, |node| &node.aaaa))
    }
    fn mx(&self, name: &Name) -> impl Future<Output = Lookup<Mx>> + Send {
        ready(self.answer(name, RecordType::Mx, |node| &node.mx))
    }
    fn ptr(&self, ip: IpAddr) -> impl Future<Output = Lookup<Name>> + Send {
        ready(self.answer(&reverse_name(ip), RecordType::Ptr, |node| &node.ptr))
    }
    fn at_hand(&self, Question { name, record_type }: &Question) -> Option<AnyLookup> {
        Some(match record_type {
            RecordType::Txt => self.answer(name, *record_type, |node| &node.txt).map(AnyAnswer::Txt),
            RecordType::A => self.answer(name, *record_type, |node| &node.a).map(AnyAnswer::A),
            RecordType::Aaaa => self.answer(name, *record_type, |node| &node.aaaa).map(AnyAnswer::Aaaa),
            RecordType::Mx => self.answer(name, *record_type, |node| &node.mx).map(AnyAnswer::Mx),
            RecordType::Ptr => self.answer(name, *record_type, |node| &node.ptr).map(AnyAnswer::Ptr),
        })
    }
}
