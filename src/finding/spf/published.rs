//! The SPF records that a log has, and how they lead to each other.

use crate::{
    dns::{Answer, AnyAnswer, LookupError, RecordType},
    known::{Entry, Log},
    lex::excerpt,
    name::Name,
    spf::{
        DomainSpec, Fault, Found, HostSpec, MacroLetter, MacroPart, Mechanism, NotARecord, Qualifier, Record,
        SharedRecord, Term, faults, find_record,
    },
};
use std::borrow::Cow;

/// How much is looked at, of all identities together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) names: usize,
    /// The size of the records that are read.
    pub(crate) octets: usize,
}

/// The records of a log, each read once.
pub(crate) struct Records<'l> {
    log: &'l Log,
    nodes: Vec<Node<'l>>,
    left: Bounds,
}

/// What is at a name.
pub(crate) struct Node<'l> {
    pub(crate) name: Name,
    pub(crate) published: Published<'l>,
    /// Whether the evaluation passed it by: then it is counted, and nothing else is said of it.
    pub(crate) is_beside: bool,
    /// Whether it is the record of an identity, or redirected to by one.
    pub(crate) is_top: bool,
    /// The term that included it.
    pub(crate) through: Option<Place>,
    /// Whether what its record passes the domain that is checked passes as well.
    pub(crate) passes_on: bool,
    /// How many of the record's directives can be reached: those up to the first `all` (RFC 7208 §5.1).
    pub(crate) reached: usize,
    /// Whether the record can pass anybody, as far as it says so itself.
    pub(crate) can_pass: bool,
    /// See [`Found::size`].
    pub(crate) size: usize,
    /// Whether a `redirect` follows its directives.
    pub(crate) redirects: bool,
}

/// A term of a record: which directive, or behind them the `redirect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) node: usize,
    pub(crate) index: usize,
}

/// What the TXT records of a name come to for SPF (RFC 7208 §4.4 to §4.6).
pub(crate) enum Published<'l> {
    Unknown,
    Failed(&'l LookupError),
    NxDomain,
    None(&'l [Box<[u8]>]),
    Many(usize),
    Broken(&'l [u8], Vec<Fault>),
    Record(&'l [u8], SharedRecord),
}

impl<'l> Records<'l> {
    pub(crate) fn new(log: &'l Log, bounds: Bounds) -> Self {
        Self { log, nodes: Vec::new(), left: bounds }
    }

    pub(crate) fn nodes(&self) -> &[Node<'l>] {
        &self.nodes
    }

    /// What is at a name, if it was looked at.
    pub(crate) fn at(&self, name: &Name) -> Option<&Node<'l>> {
        self.nodes.iter().find(|node| node.name == *name)
    }

    /// The place of a name that the term at `from` led to; `None` where there are too many.
    pub(crate) fn enter(&mut self, name: &Name, is_top: bool, from: Option<Place>) -> Option<usize> {
        let (through, passes_on) = self.led(from);
        if let Some(place) = self.nodes.iter().position(|node| node.name == *name) {
            let node = self.nodes.get_mut(place)?;
            node.is_top |= is_top;
            // Of several includes one that passes counts.
            if passes_on && !node.passes_on {
                (node.through, node.passes_on) = (through, true);
            }
            return Some(place);
        }
        self.left.names = self.left.names.checked_sub(1)?;
        let asked = self.answer(name, RecordType::Txt);
        let is_beside = asked.is_none();
        let (published, size) = self.read(asked.or_else(|| self.beside(name)));
        let mut node = Node {
            name: name.clone(),
            published,
            is_beside,
            is_top,
            through,
            passes_on,
            reached: 0,
            can_pass: false,
            size,
            redirects: false,
        };
        // Asked for at each of its terms, and found out once.
        if let Some((_, record)) = node.record() {
            let reached = reached(record);
            let redirects = record.effective_redirect().is_some();
            let passes = record.directives.iter().take(reached).any(|directive| directive.qualifier == Qualifier::Pass);
            (node.reached, node.redirects, node.can_pass) = (reached, redirects, redirects || passes);
        }
        self.nodes.push(node);
        Some(self.nodes.len() - 1)
    }

    /// The place where it is an include, and whether what the target passes is passed on: an include has a qualifier of its own for what
    /// its target passes (RFC 7208 §5.2).
    fn led(&self, from: Option<Place>) -> (Option<Place>, bool) {
        let Some(place) = from else { return (None, true) };
        let parent = self.nodes.get(place.node).is_some_and(|node| node.passes_on);
        match self.term(place) {
            Some(Term::Directive(directive)) => (from, parent && directive.qualifier == Qualifier::Pass),
            Some(Term::Redirect(_) | Term::Exp(_) | Term::UnknownModifier(_)) | None => (None, parent),
        }
    }

    fn read(&mut self, answer: Option<Result<&'l AnyAnswer, &'l LookupError>>) -> (Published<'l>, usize) {
        let texts = match answer {
            Some(Ok(AnyAnswer::Txt(Answer::Records(texts)))) => texts,
            Some(Ok(AnyAnswer::Txt(Answer::NxDomain(_)))) => return (Published::NxDomain, 0),
            Some(Ok(AnyAnswer::Txt(Answer::NoData(_)))) => return (Published::None(&[]), 0),
            Some(Err(error)) => return (Published::Failed(error), 0),
            Some(Ok(_)) | None => return (Published::Unknown, 0),
        };
        let Found { record, size } = find_record(texts, self.left.octets);
        let Some(record) = record else { return (Published::Unknown, size) };
        self.left.octets = self.left.octets.saturating_sub(size);
        let published = match (record, texts.iter().find(|text| Record::has_version(text))) {
            (Ok(record), Some(text)) => Published::Record(text, record),
            (Err(NotARecord::Syntax(_)), Some(text)) => Published::Broken(text, faults(text)),
            (Err(NotARecord::ManyRecords { count }), _) => Published::Many(count),
            (Ok(_) | Err(NotARecord::Syntax(_) | NotARecord::NoRecord), _) => Published::None(texts),
        };
        (published, size)
    }

    /// The term at a place, if an evaluation can come to it.
    pub(crate) fn reached(&self, place: Place) -> Option<Term<'_>> {
        let node = self.nodes.get(place.node)?;
        let directives = node.record()?.1.directives.len();
        let is_reached = if place.index < directives { place.index < node.reached } else { node.redirects };
        self.term(place).filter(|_| is_reached)
    }

    /// The term at a place.
    pub(crate) fn term(&self, place: Place) -> Option<Term<'_>> {
        let (_, record) = self.nodes.get(place.node)?.record()?;
        let redirect = || record.redirect.as_ref().filter(|_| place.index == record.directives.len());
        record.directives.get(place.index).map(Term::Directive).or_else(|| redirect().map(Term::Redirect))
    }

    /// The same as sentences show it.
    pub(crate) fn shown(&self, place: Place) -> Box<str> {
        self.term(place).map(|term| excerpt(term.to_string().as_bytes())).unwrap_or_default()
    }

    /// What the log has of a question, if a result may rest on it.
    pub(crate) fn answer(
        &self,
        name: &Name,
        record_type: RecordType,
    ) -> Option<Result<&'l AnyAnswer, &'l LookupError>> {
        Some(self.entry(name, record_type)?.answer()?.as_ref())
    }

    /// The name whose texts were answered, where it is another one.
    pub(crate) fn alias(&self, name: &Name) -> Option<&'l Name> {
        self.entry(name, RecordType::Txt)?.aliases().last()
    }

    fn entry(&self, name: &Name, record_type: RecordType) -> Option<&'l Entry> {
        self.log.entry(name, record_type).filter(|entry| entry.is_needed())
    }

    /// What was at hand of a name's texts, or asked ahead and not needed.
    fn beside(&self, name: &Name) -> Option<Result<&'l AnyAnswer, &'l LookupError>> {
        Some(self.log.entry_or_beside(name)?.answer()?.as_ref())
    }
}

impl<'l> Node<'l> {
    /// The record, and the text that it was read from.
    pub(crate) fn record(&self) -> Option<(&'l [u8], &Record)> {
        match &self.published {
            Published::Record(text, record) => Some((text, record)),
            Published::Unknown
            | Published::Failed(_)
            | Published::NxDomain
            | Published::None(_)
            | Published::Many(_)
            | Published::Broken(..) => None,
        }
    }
}

fn reached(record: &Record) -> usize {
    let all = record.directives.iter().position(|directive| matches!(directive.mechanism, Mechanism::All));
    all.map_or(record.directives.len(), |all| all + 1)
}

/// The name that a term of a domain's record asks for; `None` where it asks for none, or where macros make another one for each client or
/// sender.
pub(crate) fn target<'r>(term: Term<'r>, domain: &'r Name) -> Option<Cow<'r, Name>> {
    match term {
        Term::Directive(directive) => match &directive.mechanism {
            Mechanism::Include(spec) | Mechanism::Exists(spec) => spec.target_in(domain),
            Mechanism::A(HostSpec { domain: spec, .. }) | Mechanism::Mx(HostSpec { domain: spec, .. }) => {
                spec.as_ref().map_or(Some(Cow::Borrowed(domain)), |spec| spec.target_in(domain))
            }
            Mechanism::All | Mechanism::Ip4(_) | Mechanism::Ip6(_) | Mechanism::Ptr(_) => None,
        },
        Term::Redirect(modifier) => modifier.domain.target_in(domain),
        Term::Exp(_) | Term::UnknownModifier(_) => None,
    }
}

/// The name whose record a term goes on with.
pub(crate) fn record_target(term: Term<'_>) -> Option<&DomainSpec> {
    match term {
        Term::Directive(directive) => match &directive.mechanism {
            Mechanism::Include(spec) => Some(spec),
            Mechanism::All
            | Mechanism::A(_)
            | Mechanism::Mx(_)
            | Mechanism::Ptr(_)
            | Mechanism::Ip4(_)
            | Mechanism::Ip6(_)
            | Mechanism::Exists(_) => None,
        },
        Term::Redirect(modifier) => Some(&modifier.domain),
        Term::Exp(_) | Term::UnknownModifier(_) => None,
    }
}

/// How often a term counts against the limit of RFC 7208 §4.6.4: once where it asks, and once more with a `%{p}`.
pub(crate) fn lookups(term: Term<'_>) -> usize {
    let spec = match term {
        Term::Directive(directive) => match &directive.mechanism {
            Mechanism::All | Mechanism::Ip4(_) | Mechanism::Ip6(_) => return 0,
            Mechanism::Include(spec) | Mechanism::Exists(spec) => Some(spec),
            Mechanism::A(host) | Mechanism::Mx(host) => host.domain.as_ref(),
            Mechanism::Ptr(spec) => spec.as_ref(),
        },
        Term::Redirect(modifier) => Some(&modifier.domain),
        Term::Exp(_) | Term::UnknownModifier(_) => return 0,
    };
    let is_validated = |part: &MacroPart| match part {
        MacroPart::Expand(expand) => expand.letter == MacroLetter::ValidatedDomain,
        MacroPart::Literal(_) | MacroPart::Percent | MacroPart::Space | MacroPart::UrlSpace => false,
    };
    1 + usize::from(spec.is_some_and(|spec| spec.macro_string().parts().iter().any(is_validated)))
}
