//! Listing, page by page.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{EncodingType, Object};
use percent_encoding::percent_decode_str;

use super::{Bucket, unquoted};
use crate::{
    capability::storage::ObjectInfo,
    error::{Error, Result},
};

/// The most keys S3 lists in one answer.
const PAGE: usize = 1000;

impl Bucket {
    /// Lists as [`crate::capability::storage::Bucket::list`] says, without media types and metadata.
    pub(super) async fn listed(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<ObjectInfo>> {
        let mut found = Vec::new();
        let mut token = None;
        while found.len() < limit {
            let call = self
                .client
                .list_objects_v2()
                .bucket(&self.name)
                .prefix(format!("{}{prefix}", self.prefix))
                // Not every key can stand in XML; not every server minds.
                .encoding_type(EncodingType::Url)
                .max_keys(i32::try_from((limit - found.len()).min(PAGE)).unwrap_or(i32::MAX))
                .set_start_after(after.map(|after| format!("{}{after}", self.prefix)))
                .set_continuation_token(token);
            let page = call.send().await.map_err(|error| self.fault("the bucket cannot be listed", &error))?;
            let encoded = page.encoding_type == Some(EncodingType::Url);
            for object in page.contents.unwrap_or_default() {
                found.extend(self.info(object, encoded)?);
            }
            token = page.next_continuation_token;
            if token.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// None for what is no object, such as the prefix itself.
    fn info(&self, object: Object, encoded: bool) -> Result<Option<ObjectInfo>> {
        let said = object.key.unwrap_or_default();
        let whole = if encoded { decoded(&said)? } else { said };
        let key = whole.strip_prefix(&self.prefix).filter(|key| !key.is_empty());
        Ok(key.map(|key| ObjectInfo {
            key: key.to_owned(),
            size: object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
            etag: unquoted(object.e_tag.as_deref()),
            content_type: None,
            metadata: BTreeMap::new(),
        }))
    }
}

fn decoded(key: &str) -> Result<String> {
    let spaced = key.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(Into::into).map_err(|error| Error::usage("the bucket lists a key that is not UTF-8").because(error))
}
