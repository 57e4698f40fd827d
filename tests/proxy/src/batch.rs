//! Parts the body of a `BatchGetItem` or `BatchWriteItem` request and joins its answer, key by key. Which of the two
//! it is shows in its shape; nothing here knows HTTP.

use serde_json::{Map, Value, json};

use crate::withheld::{Unfit, Withheld};

/// A batch, as the two requests it was parted into. Keys keep their order within a table.
#[derive(Debug)]
pub(crate) struct Batch {
    kind: Kind,
    /// The whole request, with only the tables and keys that go to the server.
    rest: Map<String, Value>,
    /// By table, in the shape of `RequestItems`.
    withheld: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Get,
    Write,
}

impl Kind {
    fn of(tables: &Map<String, Value>) -> Self {
        if tables.values().any(Value::is_object) { Self::Get } else { Self::Write }
    }

    fn unprocessed(self) -> &'static str {
        match self {
            Self::Get => "UnprocessedKeys",
            Self::Write => "UnprocessedItems",
        }
    }
}

impl Batch {
    /// Parts a body. Places are counted through all tables, in the order of the body.
    pub(crate) fn part(body: &[u8], picks: impl Fn(u64) -> bool) -> Result<Self, Unfit> {
        let mut request: Map<String, Value> = serde_json::from_slice(body)?;
        let Some(Value::Object(tables)) = request.get_mut("RequestItems") else {
            return Err(Unfit("this is no batch: it has no RequestItems".to_owned()));
        };
        let kind = Kind::of(tables);
        let (mut withheld, mut place) = (Map::new(), 0);
        for (table, asked) in &mut *tables {
            let all = std::mem::take(keys(asked)?);
            let mut other = asked.clone();
            for key in all {
                let side = if picks(place) { &mut other } else { &mut *asked };
                keys(side)?.push(key);
                place += 1;
            }
            withheld.insert(table.clone(), other);
        }
        for side in [&mut *tables, &mut withheld] {
            side.retain(|_, asked| keys(asked).is_ok_and(|keys| !keys.is_empty()));
        }
        Ok(Self { kind, rest: request, withheld })
    }
}

/// The keys, or the writes, that are asked of one table.
fn keys(asked: &mut Value) -> Result<&mut Vec<Value>, Unfit> {
    let list = if asked.is_object() { &mut asked["Keys"] } else { asked };
    list.as_array_mut().ok_or_else(|| Unfit("a table's keys are no list".to_owned()))
}

impl Withheld for Batch {
    fn is_nothing(&self) -> bool {
        self.withheld.is_empty()
    }

    fn rest(&self) -> Option<Vec<u8>> {
        let tables = self.rest["RequestItems"].as_object()?;
        (!tables.is_empty()).then(|| json!(self.rest).to_string().into_bytes())
    }

    fn join(&self, answer: Option<&[u8]>) -> Result<Vec<u8>, Unfit> {
        let mut answer: Map<String, Value> = match answer {
            Some(answer) => serde_json::from_slice(answer)?,
            None if self.kind == Kind::Get => Map::from_iter([("Responses".to_owned(), json!({}))]),
            None => Map::new(),
        };
        let unprocessed = answer.entry(self.kind.unprocessed()).or_insert_with(|| json!({}));
        for (table, asked) in &self.withheld {
            match unprocessed.get_mut(table) {
                Some(left) => keys(left)?.append(keys(&mut asked.clone())?),
                None => unprocessed[table] = asked.clone(),
            }
        }
        Ok(serde_json::to_vec(&answer)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// A request over some tables, each key with its own number, and whether the server is to see it.
    fn request(kind: Kind, tables: &[Vec<bool>]) -> (Value, Vec<bool>) {
        let mut number = 0;
        let mut asked = Map::new();
        for (table, keys) in tables.iter().enumerate() {
            let numbers = number..number + keys.len();
            number = numbers.end;
            let keys: Vec<_> = numbers.map(|number| json!({ "id": { "N": number.to_string() } })).collect();
            let keys = if kind == Kind::Get { json!({ "Keys": keys, "ConsistentRead": true }) } else { json!(keys) };
            asked.insert(format!("table-{table}"), keys);
        }
        (json!({ "RequestItems": asked, "ReturnConsumedCapacity": "TOTAL" }), tables.concat())
    }

    fn kind() -> impl Strategy<Value = Kind> {
        prop_oneof![Just(Kind::Get), Just(Kind::Write)]
    }

    /// Every key with its table, in the order of `tables`.
    fn all(tables: &Value) -> Vec<(String, Value)> {
        let each = |(table, asked): (&String, &Value)| {
            let keys = keys(&mut asked.clone()).unwrap().clone();
            keys.into_iter().map(|key| (table.clone(), key)).collect::<Vec<_>>()
        };
        tables.as_object().unwrap().iter().flat_map(each).collect()
    }

    proptest! {
        #[test]
        fn every_key_goes_to_one_side_and_keeps_its_order(kind in kind(), tables in vec(vec(any::<bool>(), 1..5), 1..4)) {
            let (request, withheld) = request(kind, &tables);
            let batch = Batch::part(request.to_string().as_bytes(), |place| withheld[place as usize]).unwrap();
            let rest = batch.rest().map_or_else(|| json!({}), |rest| serde_json::from_slice::<Value>(&rest).unwrap()["RequestItems"].clone());
            let answer: Value = serde_json::from_slice(&batch.join(None).unwrap()).unwrap();
            let (original, rest, returned) = (all(&request["RequestItems"]), all(&rest), all(&answer[kind.unprocessed()]));
            let side = |wanted: bool| original.iter().zip(&withheld).filter(move |(_, on)| **on == wanted).map(|(key, _)| key.clone());
            prop_assert_eq!(rest, side(false).collect::<Vec<_>>());
            prop_assert_eq!(returned, side(true).collect::<Vec<_>>());
            prop_assert_eq!(batch.is_nothing(), !withheld.contains(&true));
        }
    }

    #[test]
    fn what_is_asked_of_a_table_beside_its_keys_comes_back_with_them() {
        let (request, _) = request(Kind::Get, &[vec![true, false]]);
        let batch = Batch::part(request.to_string().as_bytes(), |place| place == 1).unwrap();
        let rest: Value = serde_json::from_slice(&batch.rest().unwrap()).unwrap();
        assert_eq!(rest["ReturnConsumedCapacity"], "TOTAL");
        assert_eq!(rest["RequestItems"]["table-0"]["ConsistentRead"], true);
        let answer = batch.join(Some(br#"{"Responses":{"table-0":[{"id":{"N":"0"}}]}}"#)).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(
            answer["UnprocessedKeys"]["table-0"],
            json!({ "Keys": [{ "id": { "N": "1" } }], "ConsistentRead": true })
        );
        assert_eq!(answer["Responses"]["table-0"][0]["id"]["N"], "0");
    }

    #[test]
    fn what_the_server_left_unprocessed_itself_stays_in_the_answer() {
        let (request, _) = request(Kind::Write, &[vec![true, false]]);
        let batch = Batch::part(request.to_string().as_bytes(), |place| place == 1).unwrap();
        let answer = batch.join(Some(br#"{"UnprocessedItems":{"table-0":[{"id":{"N":"0"}}]}}"#)).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["UnprocessedItems"]["table-0"], json!([{ "id": { "N": "0" } }, { "id": { "N": "1" } }]));
    }

    #[test]
    fn what_is_no_batch_is_said_and_not_guessed() {
        assert!(Batch::part(b"{}", |_| true).is_err());
        assert!(Batch::part(br#"{"RequestItems":{"table":7}}"#, |_| true).is_err());
        assert!(Batch::part(b"hello", |_| true).is_err());
    }
}
