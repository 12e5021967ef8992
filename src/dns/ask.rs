//! A question is asked.

use super::{AnyAnswer, AnyLookup, LookupError, Question, RecordType, Resolver, address_of};

impl Question {
    /// Has a resolver answer it: for those who drive an [`Evaluation`](crate::Evaluation) themselves.
    ///
    /// # Errors
    /// Those of the resolver; [`LookupError::Malformed`] for names of addresses at a name that belongs to none.
    pub async fn ask<R: Resolver>(&self, resolver: &R) -> AnyLookup {
        let Self { name, record_type } = self;
        match record_type {
            RecordType::Txt => resolver.txt(name).await.map(AnyAnswer::Txt),
            RecordType::A => resolver.a(name).await.map(AnyAnswer::A),
            RecordType::Aaaa => resolver.aaaa(name).await.map(AnyAnswer::Aaaa),
            RecordType::Mx => resolver.mx(name).await.map(AnyAnswer::Mx),
            RecordType::Ptr => match address_of(name) {
                Some(ip) => resolver.ptr(ip).await.map(AnyAnswer::Ptr),
                None => Err(LookupError::Malformed),
            },
        }
    }
}
