//! What one message may cost as a whole.

/// What one message may cost its receiver, whoever wrote it and whoever publishes what it leads to.
///
/// The limits of the protocols come first: at their defaults SPF may cost 2 × 123 questions (for each identity its own record, ten
/// terms of eleven questions each, as `mx` with ten hosts has, the addresses for `%{p}`, and the explanation), DKIM 10 (a key each),
/// and ARC 100 (two keys for each of 50 sets), 356 in all; DMARC may cost 93 (eight steps for the author domain, whether it exists,
/// and seven steps more for each of twelve identifiers below its organizational domain). So the default budget cuts nothing off
/// that the RFCs allow, and 500 questions are the most that any message can cost; usual mail costs four to twenty.
///
/// DMARC has a share of its own. If all drew on one, a forger could publish records that use it up, and with it the question for
/// the policy that says to reject the message.
///
/// What the budget of questions and octets cuts off is [`LookupError::OutOfQuestions`](crate::dns::LookupError::OutOfQuestions) or
/// [`OutOfOctets`](crate::dns::LookupError::OutOfOctets), and so a temporary error of the protocol that asked, never a pass.
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
}

impl Default for Budget {
    fn default() -> Self {
        Self { questions: 400, octets: 2 << 20, policy_questions: 100, policy_octets: 1 << 19 }
    }
}
