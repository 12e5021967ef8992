//! What mail server and filter agree on at the start of a connection.

use std::fmt;

/// The newest version that is spoken here.
const VERSION: u32 = 6;
/// The oldest one.
const OLDEST: u32 = 2;

/// What a mail server offers (`SMFIC_OPTNEG`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The version of the protocol.
    pub version: u32,
    /// What the filter may do to a message.
    pub actions: Actions,
    /// What of a session the filter may leave out, or have otherwise.
    pub steps: Steps,
}

/// What a filter may do to a message: `SMFIF_…`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actions(pub u32);

impl Actions {
    /// Header fields may be added.
    pub const ADD_HEADER: Self = Self(0x1);
    /// Header fields may be changed and removed.
    pub const CHANGE_HEADER: Self = Self(0x10);
    /// A message may be held.
    pub const QUARANTINE: Self = Self(0x20);

    /// Whether all of these are among them.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Steps of a session that can be left out, and other things that the two agree on: `SMFIP_…`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps(pub u32);

impl Steps {
    /// Recipients are not told.
    pub const NO_RECIPIENTS: Self = Self(0x8);
    /// Unknown commands are not told.
    pub const NO_UNKNOWN: Self = Self(0x100);
    /// The start of DATA is not told.
    pub const NO_DATA: Self = Self(0x200);
    /// The filter may say that it has enough of a body.
    pub const SKIP: Self = Self(0x400);
    /// No answer to header fields.
    pub const NO_REPLY_TO_HEADER: Self = Self(0x80);
    /// Values of fields have the white space that stands behind the colon.
    pub const LEADING_SPACE: Self = Self(0x10_0000);

    /// Whether all of these are among them.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Why there is nothing to agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionsError {
    /// The offer has fewer octets than one has.
    TooShort,
    /// The version is older than 2.
    Version(u32),
    /// The server does not let a filter do this.
    Actions(Actions),
}

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => f.write_str("the offer of the mail server is cut short"),
            Self::Version(version) => write!(f, "version {version} of the protocol is not spoken here"),
            Self::Actions(missing) => {
                write!(
                    f,
                    "the mail server does not let filters add and remove header fields ({:#x} is missing)",
                    missing.0
                )
            }
        }
    }
}

impl Offer {
    /// Reads an offer.
    ///
    /// # Errors
    /// [`OptionsError::TooShort`].
    pub fn parse(data: &[u8]) -> Result<Self, OptionsError> {
        let Some((version, rest)) = data.split_first_chunk::<4>() else { return Err(OptionsError::TooShort) };
        let Some((actions, rest)) = rest.split_first_chunk::<4>() else { return Err(OptionsError::TooShort) };
        let Some((steps, _)) = rest.split_first_chunk::<4>() else { return Err(OptionsError::TooShort) };
        let [version, actions, steps] = [version, actions, steps].map(|octets| u32::from_be_bytes(*octets));
        Ok(Self { version, actions: Actions(actions), steps: Steps(steps) })
    }

    /// What a filter takes of it that adds and removes fields, may hold messages, and wants no more of a session than it needs.
    ///
    /// # Errors
    /// [`OptionsError`] where that is not offered.
    pub fn taken(&self) -> Result<Self, OptionsError> {
        if self.version < OLDEST {
            return Err(OptionsError::Version(self.version));
        }
        let needed = Actions::ADD_HEADER.and(Actions::CHANGE_HEADER);
        if !self.actions.has(needed) {
            return Err(OptionsError::Actions(Actions(needed.0 & !self.actions.0)));
        }
        let wanted = [
            Steps::NO_RECIPIENTS,
            Steps::NO_UNKNOWN,
            Steps::NO_DATA,
            Steps::SKIP,
            Steps::NO_REPLY_TO_HEADER,
            Steps::LEADING_SPACE,
        ];
        let steps = wanted.into_iter().filter(|step| self.steps.has(*step)).fold(0, |all, step| all | step.0);
        Ok(Self {
            version: self.version.min(VERSION),
            actions: Actions(self.actions.0 & (needed.0 | Actions::QUARANTINE.0)),
            steps: Steps(steps),
        })
    }

    /// As it is written.
    pub fn octets(&self) -> [u8; 12] {
        let mut octets = [0; 12];
        let numbers = [self.version, self.actions.0, self.steps.0];
        for (to, octet) in octets.iter_mut().zip(numbers.iter().flat_map(|number| number.to_be_bytes())) {
            *to = octet;
        }
        octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_read_and_written() {
        let octets = b"\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff";
        let offer = Offer::parse(octets).unwrap();
        assert_eq!((offer.version, offer.actions.0, offer.steps.0), (6, 0x1ff, 0x1f_ffff));
        assert_eq!(offer.octets(), *octets);
        for length in 0..12 {
            assert_eq!(Offer::parse(&octets[..length]), Err(OptionsError::TooShort));
        }
    }

    #[test]
    fn no_more_is_taken_than_is_offered() {
        let offer = Offer { version: 6, actions: Actions(0x1ff), steps: Steps(0x1f_ffff) };
        let taken = offer.taken().unwrap();
        assert_eq!((taken.version, taken.actions.0, taken.steps.0), (6, 0x31, 0x10_0788));
        // Of Sendmail 8.13.
        let offer = Offer { version: 2, actions: Actions(0x3f), steps: Steps(0x7f) };
        let taken = offer.taken().unwrap();
        assert_eq!((taken.version, taken.actions.0, taken.steps.0), (2, 0x31, 0x8));
        assert_eq!(Offer { version: 7, ..offer }.taken().unwrap().version, 6);
    }

    #[test]
    fn what_is_needed_must_be_offered() {
        let offer = Offer { version: 6, actions: Actions(0x1ff), steps: Steps(0) };
        assert_eq!(Offer { version: 1, ..offer }.taken(), Err(OptionsError::Version(1)));
        assert_eq!(Offer { actions: Actions(0x1), ..offer }.taken(), Err(OptionsError::Actions(Actions(0x10))));
        let taken = Offer { actions: Actions(0x11), ..offer }.taken().unwrap();
        assert!(!taken.actions.has(Actions::QUARANTINE));
    }
}
