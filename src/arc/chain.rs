//! The chain: what the header holds of ARC, and whether it has the form of a chain (RFC 8617 §5.2, steps 1 to 3).

use super::{
    result::{ChainStatus, FailReason},
    seal::Seal,
    set::{ArcField, MAX_INSTANCE, Placed, Set},
};
use crate::{lex::excerpt, message::Header, name::Domain};

/// All that the header holds of ARC, by instance; nothing is verified.
#[derive(Debug, Default)]
pub(super) struct Collection<'m> {
    slots: Vec<Slot<'m>>,
    first_error: Option<FailReason>,
    found_any: bool,
}

/// The first field of each kind with one instance.
#[derive(Clone, Copy, Debug, Default)]
struct Slot<'m>([Option<Placed<'m>>; 3]);

impl<'m> Slot<'m> {
    fn of(&mut self, kind: ArcField) -> &mut Option<Placed<'m>> {
        let [results, message_signature, seal] = &mut self.0;
        match kind {
            ArcField::AuthenticationResults => results,
            ArcField::MessageSignature => message_signature,
            ArcField::Seal => seal,
        }
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }
}

/// Sets 1 to N without a gap, whose seals say what they must say.
#[derive(Debug)]
pub(super) struct Chain<'m> {
    /// The sets with their seals, from instance 1 up; never empty.
    pub(super) links: Vec<(Set<'m>, Seal)>,
}

impl<'m> Collection<'m> {
    /// Step 1: collects the sets.
    pub(super) fn of(header: &Header<'m>) -> Self {
        let mut collection = Self::default();
        for (field_index, field) in header.fields().iter().enumerate() {
            if let Some(kind) = ArcField::of(field) {
                collection.found_any = true;
                let placed = Placed { field_index, field: *field };
                if let Err(reason) = collection.place(kind, placed) {
                    collection.first_error.get_or_insert(reason);
                }
            }
        }
        // A field of ARC that only some readers see makes another chain for them.
        let is_hidden = |kind: ArcField| header.readings(kind.name()).iter().any(|reading| reading.is_another_field());
        if let Some(malformation) = header.malformations().first()
            && ArcField::ALL.into_iter().any(is_hidden)
        {
            collection.found_any = true;
            collection.first_error.get_or_insert(FailReason::MalformedHeader(malformation.clone()));
        }
        collection
    }

    fn place(&mut self, kind: ArcField, placed: Placed<'m>) -> Result<(), FailReason> {
        let value = placed.field.value();
        let instance = kind.instance(value).map_err(|error| FailReason::Instance {
            field: kind,
            field_index: placed.field_index,
            written: excerpt(between_semicolons(value, error.offset)),
            error,
        })?;
        if instance > MAX_INSTANCE {
            return Err(FailReason::TooManySets { instance });
        }
        let Some(at) = usize::from(instance).checked_sub(1) else {
            return Err(FailReason::InstanceZero { field: kind });
        };
        if self.slots.len() <= at {
            self.slots.resize_with(at + 1, Slot::default);
        }
        match self.slots.get_mut(at).map(|slot| slot.of(kind)) {
            Some(empty @ None) => {
                *empty = Some(placed);
                Ok(())
            }
            Some(Some(_)) | None => Err(FailReason::Duplicate { instance, field: kind }),
        }
    }

    /// Whether there is anything of ARC at all.
    pub(super) fn is_empty(&self) -> bool {
        !self.found_any
    }

    /// How many instances have at least one field.
    pub(super) fn instances(&self) -> usize {
        self.slots.iter().filter(|slot| !slot.is_empty()).count()
    }

    /// The domains that the seals name, from instance 1 up, as far as they can be read.
    pub(super) fn sealers(&self) -> Vec<Domain> {
        let seals = self.slots.iter().filter_map(|Slot([_, _, seal])| seal.as_ref());
        seals.filter_map(|seal| Seal::salvaged_domain(seal.field.value())).collect()
    }

    /// Steps 1 to 3: the chain, if it has the form of one.
    pub(super) fn into_chain(self) -> Result<Chain<'m>, FailReason> {
        let numbered = || (1_u8..).zip(&self.slots);
        // Step 2: "If the Chain Validation Status of the highest instance value ARC Set is "fail"".
        if let Some((instance, Slot([_, _, Some(seal)]))) = numbered().last()
            && Seal::parse(seal.field.value()).is_ok_and(|seal| seal.chain_status == ChainStatus::Fail)
        {
            return Err(FailReason::MarkedFailed { instance });
        }
        if let Some(reason) = self.first_error {
            return Err(reason);
        }
        // Steps 3A and 3B.
        let mut sets = Vec::with_capacity(self.slots.len());
        for (instance, slot) in numbered() {
            sets.push((instance, slot.complete(instance)?));
        }
        // Step 3C, and the tags of the seals.
        let mut links = Vec::with_capacity(sets.len());
        for (instance, set) in sets {
            let field = set.seal.field;
            let seal = Seal::parse(field.value())
                .map_err(|error| FailReason::Seal { instance, error: error.in_field(field) })?;
            if seal.has_field_list {
                return Err(FailReason::FieldListInSeal { instance });
            }
            let wanted = if instance == 1 { ChainStatus::None } else { ChainStatus::Pass };
            if seal.chain_status != wanted {
                return Err(FailReason::ChainStatus { instance, found: seal.chain_status });
            }
            links.push((set, seal));
        }
        Ok(Chain { links })
    }
}

impl<'m> Slot<'m> {
    /// RFC 8617 §5.2, step 3A: exactly one field of each kind (a second one was refused before).
    fn complete(&self, instance: u8) -> Result<Set<'m>, FailReason> {
        let missing = |field| FailReason::Missing { instance, field };
        let Self([results, message_signature, seal]) = *self;
        if self.is_empty() {
            return Err(FailReason::Gap { instance });
        }
        Ok(Set {
            results: results.ok_or(missing(ArcField::AuthenticationResults))?,
            message_signature: message_signature.ok_or(missing(ArcField::MessageSignature))?,
            seal: seal.ok_or(missing(ArcField::Seal))?,
        })
    }
}

/// The part of a value that an octet stands in, without the white space around it.
fn between_semicolons(value: &[u8], offset: usize) -> &[u8] {
    let (before, behind) = value.split_at(offset.min(value.len()));
    let start = memchr::memrchr(b';', before).map_or(0, |semicolon| semicolon + 1);
    let end = offset.min(value.len()) + memchr::memchr(b';', behind).unwrap_or(behind.len());
    value.get(start..end).unwrap_or_default().trim_ascii()
}
