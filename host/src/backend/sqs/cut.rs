//! Cuts messages into requests by count and bytes. Pure.

/// How many entries a request holds.
pub(super) const ENTRIES: usize = 10;

/// How many bytes a request holds, which servers of every age accept. A larger message is sent alone, and the service
/// decides whether it accepts it.
const BYTES: usize = 256 * 1024;

/// Cuts messages into requests, in their order.
pub(super) fn batches<T>(messages: Vec<T>, size: impl Fn(&T) -> usize) -> impl Iterator<Item = Vec<T>> {
    let mut messages = messages.into_iter().peekable();
    std::iter::from_fn(move || {
        let first = messages.next()?;
        let mut held = size(&first);
        let mut batch = vec![first];
        while batch.len() < ENTRIES
            && let Some(next) = messages.next_if(|next| held + size(next) <= BYTES)
        {
            held += size(&next);
            batch.push(next);
        }
        Some(batch)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn requests_keep_every_message_in_order_and_within_the_limits(sizes in prop::collection::vec(0..BYTES * 2, 0..100)) {
            let batches: Vec<_> = batches(sizes.clone(), |size| *size).collect();
            for batch in &batches {
                prop_assert!((1..=ENTRIES).contains(&batch.len()));
                prop_assert!(batch.iter().sum::<usize>() <= BYTES || batch.len() == 1);
            }
            prop_assert_eq!(batches.concat(), sizes);
        }
    }
}
