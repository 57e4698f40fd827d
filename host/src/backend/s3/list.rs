//! Listing, page by page.

use std::collections::BTreeMap;

use aws_sdk_s3::{
    operation::list_objects_v2::ListObjectsV2Output,
    types::{EncodingType, Object},
};
use percent_encoding::percent_decode_str;

use super::{Bucket, climbs, timestamp, unquoted};
use crate::{
    backend::aws::incomplete,
    capability::storage::{Listing, ObjectInfo, Omitted},
    error::Result,
};

/// The most keys S3 lists in one answer.
const PAGE: usize = 1000;

impl Bucket {
    /// Lists as [`crate::capability::storage::Bucket::list`] documents, without media types and metadata.
    pub(super) async fn listed(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Listing> {
        let (mut listing, mut token, mut last) = (Listing::default(), None, None);
        let limit = limit.max(1);
        loop {
            let listed = listing.objects.len() + listing.omitted.len();
            let call = self
                .client
                .list_objects_v2()
                .bucket(&self.name)
                .prefix(format!("{}{prefix}", self.prefix))
                // Some keys are not valid in XML, although not every server checks that.
                .encoding_type(EncodingType::Url)
                .max_keys(i32::try_from(limit.saturating_sub(listed).clamp(1, PAGE)).unwrap_or(i32::MAX))
                .set_start_after(after.map(|after| format!("{}{after}", self.prefix)))
                .set_continuation_token(token);
            let page = call.send().await.map_err(|error| self.fault("the bucket cannot be listed", &error))?;
            whole(&page).map_err(|error| error.with("bucket", &self.name))?;
            let encoded = page.encoding_type == Some(EncodingType::Url);
            for object in page.contents.unwrap_or_default() {
                // No part can begin after a key that is not text.
                last = self.key(&object, encoded);
                match self.found(object, last.clone()) {
                    Some(Ok(info)) => listing.objects.push(info),
                    Some(Err(omitted)) => listing.omitted.push(omitted),
                    None => {}
                }
            }
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(listing);
            }
            // The next part begins after a key; the token is valid only in this call.
            if listing.objects.len() + listing.omitted.len() >= limit && last.is_some() {
                listing.next = last;
                return Ok(listing);
            }
        }
    }

    /// The key of an object, without the bucket's prefix; none if it is not text. The key of the prefix itself is
    /// empty.
    fn key(&self, object: &Object, encoded: bool) -> Option<String> {
        let said = object.key.as_deref().unwrap_or_default();
        let whole = if encoded { decoded(said)? } else { said.to_owned() };
        Some(whole.strip_prefix(&self.prefix).unwrap_or_default().to_owned())
    }

    /// The entry for an object, or why it is not served as one; none for the prefix itself.
    fn found(&self, object: Object, key: Option<String>) -> Option<Result<ObjectInfo, Omitted>> {
        let Some(key) = key else {
            let name = object.key.unwrap_or_default();
            return Some(Err(Omitted { name, reason: "its key is not UTF-8" }));
        };
        if key.is_empty() {
            return None;
        }
        if climbs(&key) {
            let reason = "its key has a part `.` or `..`, by which some servers find another object";
            return Some(Err(Omitted { name: key, reason }));
        }
        Some(Ok(ObjectInfo {
            key,
            size: object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
            etag: unquoted(object.e_tag.as_deref()),
            content_type: None,
            metadata: BTreeMap::new(),
            modified: object.last_modified.and_then(timestamp),
        }))
    }
}

/// Checks that a page is complete, and states whether there is another one.
fn whole(page: &ListObjectsV2Output) -> Result<()> {
    let counted = page.key_count.is_none_or(|count| usize::try_from(count) == Ok(page.contents().len()));
    let goes_on = page.is_truncated == Some(true) && page.next_continuation_token.is_some();
    let ends = page.is_truncated == Some(false) && page.next_continuation_token.is_none();
    if counted && (goes_on || ends) {
        return Ok(());
    }
    let lacks = if counted { "it does not say whether there is more" } else { "it does not have the keys it counts" };
    Err(incomplete("the bucket cannot be listed", lacks))
}

fn decoded(key: &str) -> Option<String> {
    let spaced = key.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Into::into)
}
