//! The objects that a watcher of a folder acknowledged: keys with their etags, read a page at a time.

use std::sync::Arc;

use rusqlite::{Connection, params};

use super::Database;
use crate::{capability::storage::ObjectInfo, error::Result};

/// The objects of one bucket that one recipe acknowledged.
#[derive(Debug, Clone)]
pub(in crate::backend) struct Watched {
    database: Arc<Database>,
    recipe: String,
    bucket: String,
}

impl Database {
    /// Opens the acknowledged objects of a recipe and a bucket.
    pub(in crate::backend) fn watched(self: &Arc<Self>, recipe: &str, bucket: &str) -> Watched {
        Watched { database: self.clone(), recipe: recipe.to_owned(), bucket: bucket.to_owned() }
    }
}

impl Watched {
    /// Returns the objects that were not acknowledged with this etag.
    pub async fn news(&self, found: Vec<ObjectInfo>) -> Result<Vec<ObjectInfo>> {
        if found.is_empty() {
            return Ok(found);
        }
        let Self { recipe, bucket, .. } = self.clone();
        let is_new = move |connection: &Connection| {
            let sql = "SELECT 1 FROM watched WHERE recipe = ?1 AND bucket = ?2 AND key = ?3 AND etag = ?4";
            let mut statement = connection.prepare_cached(sql)?;
            let mut news = Vec::new();
            for info in found {
                if !statement.exists(params![recipe, bucket, info.key, info.etag])? {
                    news.push(info);
                }
            }
            Ok(news)
        };
        self.database.read(is_new).await
    }

    /// Records that objects were acknowledged with this etag.
    pub async fn acknowledge(&self, arrivals: &[ObjectInfo]) -> Result<()> {
        let (this, arrivals) = (self.clone(), arrivals.to_vec());
        let keep = move |connection: &Connection| {
            let sql = "INSERT OR REPLACE INTO watched (recipe, bucket, key, etag) VALUES (?1, ?2, ?3, ?4)";
            let mut statement = connection.prepare_cached(sql)?;
            for info in &arrivals {
                statement.execute(params![this.recipe, this.bucket, info.key, info.etag])?;
            }
            Ok(())
        };
        self.database.write(keep).await
    }

    /// Forgets keys, and the keys below them if they are folders: later objects there are new.
    pub async fn forget_all(&self, keys: &[String]) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let (this, keys) = (self.clone(), keys.to_vec());
        let forget = move |connection: &Connection| {
            // Keys that begin with `a/` sort from `a/` to before `a0`.
            let sql = "DELETE FROM watched WHERE recipe = ?1 AND bucket = ?2
                AND (key = ?3 OR key >= ?3 || '/' AND key < ?3 || '0')";
            let mut statement = connection.prepare_cached(sql)?;
            for key in &keys {
                statement.execute(params![this.recipe, this.bucket, key])?;
            }
            Ok(())
        };
        self.database.write(forget).await
    }

    /// Forgets the keys between two, the first one excluded, that have no object any more.
    pub async fn forget(&self, after: Option<&str>, upto: Option<&str>, there: &[ObjectInfo]) -> Result<()> {
        let there: Vec<_> = there.iter().map(|info| info.key.as_str()).collect();
        let there = serde_json::Value::from(there).to_string();
        let (this, after, upto) = (self.clone(), after.map(str::to_owned), upto.map(str::to_owned));
        let forget = move |connection: &Connection| {
            let sql = "DELETE FROM watched WHERE recipe = ?1 AND bucket = ?2
                AND (?3 IS NULL OR key > ?3) AND (?4 IS NULL OR key <= ?4)
                AND key NOT IN (SELECT value FROM json_each(?5))";
            connection.prepare_cached(sql)?.execute(params![this.recipe, this.bucket, after, upto, there])?;
            Ok(())
        };
        self.database.write(forget).await
    }
}
