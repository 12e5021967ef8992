//! A term under evaluation: its target, its lookups, and how it can stop an evaluation.

use super::{
    DomainSpec, MacroLetter, MacroString,
    check_host::CheckHost,
    expand::Target,
    limits::{Budget, Limit},
    observe::Observe,
    parse,
    record::Term,
    result::{Explanation, NoneReason, PermError, TempError},
};
use crate::{
    dns::LookupError,
    known::Unknown,
    lex::parse_all,
    name::{Name, NameError},
};

/// What ends an evaluation before its end: the exceptions of RFC 7208 §4.6.2, or that something is not known yet. Boxed, because few
/// evaluations come to one and every step would carry it.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    Unknown,
    TempError(Box<TempError>),
    PermError(Box<PermError>),
}

/// A term under evaluation and the domain whose record holds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'t> {
    pub(super) domain: &'t Name,
    pub(super) term: Term<'t>,
}

impl<O: Observe> CheckHost<'_, '_, O> {
    /// RFC 7208 §5.2; `None` where the term does not match.
    pub(super) fn include_target(
        &mut self,
        spec: &DomainSpec,
        place: Place<'_>,
        depth: usize,
    ) -> Result<Option<Name>, Stop> {
        // RFC 8616 §4: without a target, the term does not match.
        let Some(target) = self.record_target(spec, place)? else { return Ok(None) };
        Budget::allow_include(depth).map_err(|limit| place.exceeded(limit))?;
        Ok(Some(target))
    }

    /// RFC 7208 §6.1
    pub(super) fn redirect_target(&mut self, spec: &DomainSpec, place: Place<'_>) -> Result<Name, Stop> {
        // RFC 8616 §4 speaks of matching, which a "redirect" never does: its target is malformed (§6.1).
        let malformed = || place.no_record(&spec.to_string(), NoneReason::NotAName(NameError::NotAscii));
        self.record_target(spec, place)?.ok_or_else(malformed)
    }

    /// The domain whose record a term goes on with; `None` where it would be made of a local part that is not ASCII.
    fn record_target(&mut self, spec: &DomainSpec, place: Place<'_>) -> Result<Option<Name>, Stop> {
        self.begin_lookup(place)?;
        match self.target(Some(spec), place)? {
            Target::Name(target) if target.has_parent() => Ok(Some(target)),
            // §4.3 makes these "none", and that is a permerror here.
            Target::Name(target) => Err(place.no_record(target.as_str(), NoneReason::NotFullyQualified)),
            Target::Malformed(text, error) => Err(place.no_record(&text, NoneReason::NotAName(error))),
            Target::NonAsciiLocalPart => Ok(None),
        }
    }

    /// RFC 7208 §6.2: whatever goes wrong here, the result stands, as if there were no `exp`.
    pub(super) fn explanation(&mut self, exp: &DomainSpec, domain: &Name) -> Result<Explanation, Unknown> {
        Ok(self.published_explanation(exp, domain)?.map_or(Explanation::Default, Explanation::Published))
    }

    fn published_explanation(&mut self, exp: &DomainSpec, domain: &Name) -> Result<Option<Box<str>>, Unknown> {
        if self.begin_expansion(exp.macro_string()).is_err() {
            return Ok(None);
        }
        // §4.6.4: "exp" and what it asks for is not subject to the limits; it happens once, after the result.
        let mut validated = None;
        if exp.macro_string().uses(MacroLetter::ValidatedDomain) {
            validated = self.validated_domain(domain)?;
            if validated.is_none() {
                return Ok(None);
            }
        }
        let target = match exp.literal() {
            Some(target) => target.clone(),
            None => match self.values.target(exp, domain, validated.as_deref().unwrap_or_default()) {
                Target::Name(target) => target,
                Target::Malformed(..) | Target::NonAsciiLocalPart => return Ok(None),
            },
        };
        let Ok(answer) = self.known.txt(&target)? else { return Ok(None) };
        let [text] = answer.records() else { return Ok(None) };
        let Ok(text) = parse_all(text, parse::explain_string) else { return Ok(None) };
        if self.begin_expansion(&text).is_err() {
            return Ok(None);
        }
        if validated.is_none() && text.uses(MacroLetter::ValidatedDomain) {
            validated = self.validated_domain(domain)?;
            if validated.is_none() {
                return Ok(None);
            }
        }
        Ok(self.values.explanation(&text, domain, validated.as_deref().unwrap_or_default()))
    }

    /// The target name of a term: its domain specification expanded, or the domain of the record (RFC 7208 §4.8).
    pub(super) fn target(&mut self, spec: Option<&DomainSpec>, place: Place<'_>) -> Result<Target, Stop> {
        let Some(spec) = spec else { return Ok(Target::Name(place.domain.clone())) };
        if let Some(literal) = spec.literal() {
            return Ok(Target::Name(literal.clone()));
        }
        let mut validated = None;
        self.begin_expansion(spec.macro_string()).map_err(|limit| place.exceeded(limit))?;
        if spec.macro_string().uses(MacroLetter::ValidatedDomain) {
            // §4.6.4: the PTR question of a "p" macro is included in the overall limit.
            self.budget.consume_lookup().map_err(|limit| place.exceeded(limit))?;
            validated = Some(self.validated_domain_of_term(place)?);
        }
        Ok(self.values.target(spec, place.domain, validated.as_deref().unwrap_or_default()))
    }

    /// A macro string is about to be expanded.
    fn begin_expansion(&mut self, string: &MacroString) -> Result<(), Limit> {
        self.budget.consume_expansion(self.values.octets(string))
    }

    /// A term that asks the DNS begins.
    pub(super) fn begin_lookup(&mut self, place: Place<'_>) -> Result<(), Stop> {
        self.budget.begin_term();
        self.budget.consume_lookup().map_err(|limit| place.exceeded(limit))
    }
}

impl Place<'_> {
    #[cold]
    pub(super) fn exceeded(&self, limit: Limit) -> Stop {
        let term = self.term.to_string().into();
        PermError::LimitExceeded { limit, domain: self.domain.clone(), term }.into()
    }

    #[cold]
    pub(super) fn no_record(&self, target: &str, reason: NoneReason) -> Stop {
        let term = self.term.to_string().into();
        PermError::NoRecordAtTarget { domain: self.domain.clone(), term, target: target.into(), reason }.into()
    }
}

impl Stop {
    pub(super) fn lookup(name: &Name, error: LookupError) -> Self {
        Self::TempError(Box::new(TempError::Lookup { name: name.clone(), error }))
    }
}

impl From<Unknown> for Stop {
    fn from(Unknown: Unknown) -> Self {
        Self::Unknown
    }
}

impl From<PermError> for Stop {
    fn from(error: PermError) -> Self {
        Self::PermError(Box::new(error))
    }
}
