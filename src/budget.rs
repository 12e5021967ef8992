//! What one message may cost as a whole: a share for each evaluation.

use crate::dns::LookupError;

/// What one message may cost its receiver, whoever wrote it and whoever publishes what it leads to: a share for each evaluation.
///
/// The limits of the protocols come first. What they allow together is what the default shares afford, one key for each signature:
/// so they cut nothing off that mail of good faith needs, and still no message can cost more. Each share is counted by itself, so that
/// no evaluation depends on what others cost: a message cannot use up the questions that would show it to be forged, and no result
/// depends on the order in which answers come.
///
/// * **Questions.** SPF may cost 123 for each identity (its own record, ten terms of eleven questions each, as `mx` with ten hosts
///   has, the addresses for `%{p}`, and the explanation), DKIM 10 (a key each), ARC 100 (two keys for each of 50 sets), and DMARC 105
///   (eight steps for the author domain, whether it exists, and eight steps for each of twelve identifiers below its organizational
///   domain). Usual mail costs four to twenty. Where answers have to be waited for, SPF and DMARC may ask up to 60 more
///   that turn out not to be needed ([`questions_ahead`](Self::questions_ahead)). What several evaluations ask is asked once, and
///   counts in the share of each.
/// * **Octets** of data in the answers. The DNS allows 64 kB for each; records and keys of good faith stay below two.
/// * **Signatures.** DKIM may have 10 verified, and ARC 100 (two for each of 50 sets); usual mail has one to six.
/// * **Work.** The unit is one verification by a usual RSA key of 2048 bits. 1024 bits count one as well, 3072 three and 4096 four,
///   as the work grows with the square; Ed25519 counts three. A key with an exponent that nobody uses (other than 2^n + 1 up to 65537)
///   counts fourteen times as much, because it takes as long. 40 units for DKIM and 400 for ARC are its signatures by keys of 4096
///   bits. A unit takes up to 17 µs on a Zen 5 core, so all verifications of a message take 7.5 ms at most.
///   Making keys ready comes before and is bounded by their number: 440 (four at each name) of 4096 bits take 11 ms more, once. The
///   signature that may not be verified any more costs nothing.
///
/// Of DKIM's signatures those that can align with the author domain come before all others, wherever they stand in the header (see
/// [`dkim::Policy::max_signatures`](crate::dkim::Policy::max_signatures)). ARC verifies its newest message signature first, then the
/// seals from the newest down, and last the older message signatures, which decide nothing.
///
/// What a share cuts off is named in the verdict and is never a pass: [`LookupError::OutOfQuestions`] or
/// [`OutOfOctets`](LookupError::OutOfOctets), a temporary error of the protocol that asked;
/// [`dkim::NeutralReason::OutOfBudget`](crate::dkim::NeutralReason::OutOfBudget); and
/// [`arc::FailReason::OutOfBudget`](crate::arc::FailReason::OutOfBudget). None of them makes DMARC a temperror: to try again would
/// end the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Budget {
    /// SPF for the HELO identity.
    pub helo: Share,
    /// SPF for the MAIL FROM identity.
    pub mail_from: Share,
    /// The keys and signatures of DKIM.
    pub dkim: Share,
    /// The keys and signatures of ARC.
    pub arc: Share,
    /// DMARC.
    pub dmarc: Share,
    /// Questions that SPF and DMARC may ask while a message waits for others, before they are sure to need them: so that the answers of
    /// a record's terms and of a tree walk arrive side by side, and not one after another. An answer that turns out to be needed counts
    /// in the share of whoever needs it; so this is how many questions a message may cost in vain. With 0 nothing is asked before its
    /// turn. No result depends on it.
    pub questions_ahead: usize,
}

/// What one evaluation may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Questions to the DNS, each counted once.
    pub questions: usize,
    /// Octets of data in the answers.
    pub octets: usize,
    /// Signatures that are verified by a key. Those that need none (because they are malformed or expired, have no usable key, or the
    /// body is not the one they signed) are not counted.
    pub signatures: usize,
    /// Work of these verifications, in units of one by a usual RSA key of 2048 bits
    /// ([`VerifyingKey::work`](crate::crypto::VerifyingKey::work)).
    pub work: usize,
}

/// Octets of answers that may be asked ahead.
pub(crate) const OCTETS_AHEAD: usize = 256 << 10;

impl Default for Budget {
    fn default() -> Self {
        let questions = |questions, octets| Share { questions, octets, signatures: 0, work: 0 };
        Self {
            helo: questions(123, 640 << 10),
            mail_from: questions(123, 640 << 10),
            dkim: Share { signatures: 10, work: 40, ..questions(10, 256 << 10) },
            arc: Share { signatures: 100, work: 400, ..questions(100, 512 << 10) },
            dmarc: questions(105, 512 << 10),
            questions_ahead: 60,
        }
    }
}

impl Share {
    /// One question more.
    #[inline]
    pub(crate) fn ask(&mut self) -> Result<(), LookupError> {
        if self.octets == 0 {
            return Err(LookupError::OutOfOctets);
        }
        self.questions = self.questions.checked_sub(1).ok_or(LookupError::OutOfQuestions)?;
        Ok(())
    }

    /// An answer of so many octets. One that cannot be afforded has been read all the same, and so nothing is left for others.
    #[inline]
    pub(crate) fn pay_octets(&mut self, octets: usize) -> Result<(), LookupError> {
        let left = self.octets.checked_sub(octets);
        self.octets = left.unwrap_or_default();
        left.map(|_| ()).ok_or(LookupError::OutOfOctets)
    }

    /// The next signature.
    pub(crate) fn pay_signature(&mut self) -> Result<(), Exhausted> {
        self.signatures = self.signatures.checked_sub(1).ok_or(Exhausted::Signatures)?;
        Ok(())
    }

    /// Trying a key.
    pub(crate) fn pay_work(&mut self, work: usize) -> Result<(), Exhausted> {
        self.work = self.work.checked_sub(work).ok_or(Exhausted::Work)?;
        Ok(())
    }
}

/// Which part of a share for signatures is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Exhausted {
    /// [`Share::signatures`].
    #[error("the message used up its budget of signatures")]
    Signatures,
    /// [`Share::work`]: what is left is less than the next key costs.
    #[error("the message used up its budget of public-key work")]
    Work,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_pays_to_the_last_unit_and_then_for_what_is_cheaper() {
        let mut share = Share { questions: 1, octets: 10, signatures: 1, work: 5 };
        assert_eq!((share.pay_signature(), share.pay_signature()), (Ok(()), Err(Exhausted::Signatures)));
        assert_eq!((share.pay_work(4), share.pay_work(2), share.pay_work(1)), (Ok(()), Err(Exhausted::Work), Ok(())));
        assert_eq!(share.pay_work(1), Err(Exhausted::Work));
        assert_eq!((share.ask(), share.ask()), (Ok(()), Err(LookupError::OutOfQuestions)));
    }

    #[test]
    fn an_answer_that_cannot_be_afforded_leaves_nothing() {
        let mut share = Share { questions: 9, octets: 10, signatures: 0, work: 0 };
        assert_eq!((share.pay_octets(4), share.pay_octets(7)), (Ok(()), Err(LookupError::OutOfOctets)));
        assert_eq!((share.pay_octets(0), share.ask()), (Ok(()), Err(LookupError::OutOfOctets)));
    }
}
