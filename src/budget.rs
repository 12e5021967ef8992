//! What one message may cost as a whole.

/// What one message may cost its receiver, whoever wrote it and whoever publishes what it leads to.
///
/// The limits of the protocols come first. What they allow together is what the default budget affords, one key for each signature:
/// so it cuts nothing off that mail of good faith needs, and still no message can cost more.
///
/// * **Questions.** SPF may cost 2 × 123 (for each identity its own record, ten terms of eleven questions each, as `mx` with ten
///   hosts has, the addresses for `%{p}`, and the explanation), DKIM 10 (a key each), and ARC 100 (two keys for each of 50 sets), 356
///   in all; DMARC may cost 93 (eight steps for the author domain, whether it exists, and seven steps more for each of twelve
///   identifiers below its organizational domain). 500 questions are the most that any message can need; usual mail costs four to
///   twenty. Where answers have to be waited for, SPF and DMARC may ask up to 60 more that turn out not to be needed
///   ([`questions_ahead`](Self::questions_ahead)).
/// * **Signatures.** DKIM may have 10 verified, and ARC 100 (two for each of 50 sets): 110 in all; usual mail has one to six.
/// * **Work.** The unit is one verification by a usual RSA key of 2048 bits. 1024 bits count one as well, 3072 three and 4096 four,
///   as the work grows with the square; Ed25519 counts three. A key with an exponent that nobody uses (other than 2^n + 1 up to 65537)
///   counts fourteen times as much, because it takes as long. 440 units are 110 signatures by keys of 4096 bits. A unit takes up to
///   17 µs on a Zen 5 core, so all verifications of a message take 7.5 ms at most.
///   Making keys ready comes before and is bounded by their number: 440 (four at each name) of 4096 bits take 11 ms more, once. The
///   signature that may not be verified any more costs nothing.
///
/// What matters for DMARC is done first. DKIM draws before ARC, and of its signatures those that can align with the author domain
/// before all others, wherever they stand in the header (see [`dkim::Policy::max_signatures`](crate::dkim::Policy::max_signatures)).
/// ARC verifies its newest message signature first, then the seals from the newest down, and last the older message signatures, which
/// decide nothing. Who draws when does not depend on which answer of the DNS comes first.
///
/// DMARC has a share of the questions of its own. If all drew on one, a forger could publish records that use it up, and with it the
/// question for the policy that says to reject the message.
///
/// What the budget cuts off is named in the verdict and is never a pass:
/// [`LookupError::OutOfQuestions`](crate::dns::LookupError::OutOfQuestions) or
/// [`OutOfOctets`](crate::dns::LookupError::OutOfOctets), a temporary error of the protocol that asked;
/// [`dkim::NeutralReason::OutOfBudget`](crate::dkim::NeutralReason::OutOfBudget); and
/// [`arc::FailReason::OutOfBudget`](crate::arc::FailReason::OutOfBudget). None of them makes DMARC a temperror: to try again would
/// end the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Budget {
    /// Questions of SPF, DKIM and ARC together; the same question is counted once.
    pub questions: usize,
    /// Octets of data in the answers to SPF, DKIM and ARC together. The DNS allows 64 kB for each answer; records and keys of
    /// good faith stay below two.
    pub octets: usize,
    /// Questions of DMARC, without those that were asked before.
    pub policy_questions: usize,
    /// Octets of data in the answers to DMARC.
    pub policy_octets: usize,
    /// Signatures of DKIM and ARC together that are verified by a key. Those that need none (because they are malformed or expired,
    /// have no usable key, or the body is not the one they signed) are not counted.
    pub signatures: usize,
    /// Work of these verifications, in units of one by a usual RSA key of 2048 bits
    /// ([`VerifyingKey::work`](crate::crypto::VerifyingKey::work)).
    pub work: usize,
    /// Questions that SPF and DMARC may ask while a message waits for others, before they are sure to need them: so that the answers of
    /// a record's terms and of a tree walk arrive side by side, and not one after another. An answer that turns out to be needed is counted again as what it is; so
    /// this is how many questions a message may cost in vain. With 0 nothing is asked before its turn. No result depends on it.
    pub questions_ahead: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            questions: 400,
            octets: 2 << 20,
            policy_questions: 100,
            policy_octets: 1 << 19,
            questions_ahead: 60,
            signatures: 110,
            work: 440,
        }
    }
}

/// Which part of the budget for signatures is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Exhausted {
    /// [`Budget::signatures`].
    #[error("the message used up its budget of signatures")]
    Signatures,
    /// [`Budget::work`]: what is left is less than the next key costs.
    #[error("the message used up its budget of public-key work")]
    Work,
}

/// What is left of a budget for the signatures of one message.
#[derive(Clone, Debug)]
pub(crate) struct Purse {
    signatures: usize,
    work: usize,
}

impl Purse {
    pub(crate) fn of(budget: &Budget) -> Self {
        Self { signatures: budget.signatures, work: budget.work }
    }

    /// Pays for the next signature.
    pub(crate) fn pay_signature(&mut self) -> Result<(), Exhausted> {
        self.signatures = self.signatures.checked_sub(1).ok_or(Exhausted::Signatures)?;
        Ok(())
    }

    /// Pays for trying a key.
    pub(crate) fn pay_work(&mut self, work: usize) -> Result<(), Exhausted> {
        self.work = self.work.checked_sub(work).ok_or(Exhausted::Work)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purse_pays_to_the_last_unit_and_then_for_what_is_cheaper() {
        let mut purse = Purse::of(&Budget { signatures: 1, work: 5, ..Budget::default() });
        assert_eq!((purse.pay_signature(), purse.pay_signature()), (Ok(()), Err(Exhausted::Signatures)));
        assert_eq!((purse.pay_work(4), purse.pay_work(2), purse.pay_work(1)), (Ok(()), Err(Exhausted::Work), Ok(())));
        assert_eq!(purse.pay_work(1), Err(Exhausted::Work));
    }
}
