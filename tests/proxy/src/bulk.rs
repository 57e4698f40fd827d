//! Parts the body of a `_bulk` request and joins its answer, item by item. Lines of items pass byte by byte as they
//! came; nothing here knows HTTP.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

use crate::withheld::{Unfit, Withheld};

/// A bulk body, with the items that are kept from the server marked.
#[derive(Debug)]
pub(crate) struct Bulk {
    items: Vec<Item>,
    /// The status and the result that withheld items are answered with; without them, they are refused.
    answer: Option<(u16, String)>,
}

#[derive(Debug)]
struct Item {
    /// `index`, `create`, `update` or `delete`.
    action: String,
    /// `_index` and `_id` as the answer repeats them.
    index: Value,
    id: Value,
    /// The action and its source, with their line ends.
    lines: Vec<u8>,
    withheld: bool,
}

impl Bulk {
    /// Parts a body. `index` is the one the path names, for items that name none; `picks` is asked for each place.
    pub(crate) fn part(body: &[u8], index: Option<&str>, picks: impl Fn(u64) -> bool) -> Result<Self, Unfit> {
        let mut lines = body.split_inclusive(|byte| *byte == b'\n');
        let mut items = Vec::new();
        while let Some(line) = lines.next() {
            let mut item = Item::read(line, index)?;
            if item.action != "delete" {
                item.lines.extend(lines.next().unwrap_or_default());
            }
            item.withheld = picks(items.len() as u64);
            items.push(item);
        }
        Ok(Self { items, answer: None })
    }

    /// Answers what is withheld with a status and a result.
    pub(crate) fn answered(self, status: u16, result: String) -> Self {
        Self { answer: Some((status, result)), ..self }
    }

    fn own_answer(&self, item: &Item) -> Value {
        let Some((status, result)) = &self.answer else { return item.refusal() };
        let own = json!({ "_index": item.index, "_id": item.id, "status": status, "result": result });
        json!({ &item.action: own })
    }
}

impl Item {
    fn read(line: &[u8], index: Option<&str>) -> Result<Self, Unfit> {
        let action: Map<String, Value> = serde_json::from_slice(line)?;
        let (action, about) = action.into_iter().next().ok_or_else(|| Unfit("a bulk action is empty".to_owned()))?;
        let index = about.get("_index").cloned().unwrap_or_else(|| json!(index));
        let id = about.get("_id").cloned().unwrap_or_default();
        Ok(Self { action, index, id, lines: line.to_vec(), withheld: false })
    }

    fn refusal(&self) -> Value {
        json!({ &self.action: { "_index": self.index, "_id": self.id, "status": 429, "error": {
            "type": "es_rejected_execution_exception",
            "reason": "rejected execution of primary operation: the write queue is full",
        } } })
    }
}

impl Withheld for Bulk {
    fn is_nothing(&self) -> bool {
        self.items.iter().all(|item| !item.withheld)
    }

    fn rest(&self) -> Option<Vec<u8>> {
        let passed = self.items.iter().filter(|item| !item.withheld);
        let rest: Vec<u8> = passed.flat_map(|item| &item.lines).copied().collect();
        (!rest.is_empty()).then_some(rest)
    }

    fn join(&self, answer: Option<&[u8]>) -> Result<Vec<u8>, Unfit> {
        let mut answer: Map<String, Value> = match answer {
            Some(answer) => serde_json::from_slice(answer)?,
            None => Map::from_iter([("took".to_owned(), json!(0))]),
        };
        let mut answers: VecDeque<Value> = match answer.remove("items") {
            Some(Value::Array(answers)) => answers.into(),
            _ => VecDeque::new(),
        };
        let passed = self.items.iter().filter(|item| !item.withheld).count();
        if answers.len() != passed {
            return Err(Unfit(format!("{passed} items were passed on, but {} answered", answers.len())));
        }
        let each = |item: &Item| if item.withheld { Some(self.own_answer(item)) } else { answers.pop_front() };
        let items = self.items.iter().filter_map(each).collect();
        if self.answer.is_none() {
            answer.insert("errors".to_owned(), json!(true));
        }
        answer.insert("items".to_owned(), Value::Array(items));
        Ok(serde_json::to_vec(&answer)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// What the client sends for one item, and whether the server is to see it.
    fn item() -> impl Strategy<Value = (String, bool)> {
        let action = prop_oneof![Just("index"), Just("create"), Just("update"), Just("delete")];
        (action, "[a-z\"\\\\é]{0,6}", "[a-z{}\"é ]{0,20}", any::<bool>()).prop_map(|(action, id, text, withheld)| {
            let source = if action == "delete" { String::new() } else { format!("{}\n", json!({ "text": text })) };
            (format!("{}\n{source}", json!({ action: { "_id": id } })), withheld)
        })
    }

    /// Answers a body as a server would that takes everything.
    fn server(body: &[u8]) -> Vec<u8> {
        let bulk = Bulk::part(body, Some("people"), |_| false).unwrap();
        let items = bulk.items.iter().map(|item| json!({ &item.action: { "_id": item.id, "status": 200 } }));
        json!({ "took": 3, "errors": false, "items": items.collect::<Vec<_>>() }).to_string().into_bytes()
    }

    proptest! {
        #[test]
        fn what_is_passed_on_and_what_is_withheld_are_the_original_in_its_order(items in vec(item(), 0..12)) {
            let body: String = items.iter().map(|(lines, _)| lines.as_str()).collect();
            let bulk = Bulk::part(body.as_bytes(), None, |place| items[place as usize].1).unwrap();
            let again: Vec<u8> = bulk.items.iter().flat_map(|item| item.lines.clone()).collect();
            prop_assert_eq!(again, body.as_bytes());
            let passed: String = items.iter().filter(|(_, withheld)| !withheld).map(|(lines, _)| lines.as_str()).collect();
            prop_assert_eq!(bulk.rest().unwrap_or_default(), passed.as_bytes());
            prop_assert_eq!(bulk.is_nothing(), items.iter().all(|(_, withheld)| !withheld));
        }

        #[test]
        fn every_item_is_answered_at_its_place(items in vec(item(), 1..12)) {
            let body: String = items.iter().map(|(lines, _)| lines.as_str()).collect();
            let bulk = Bulk::part(body.as_bytes(), Some("people"), |place| items[place as usize].1).unwrap();
            let answer = bulk.rest().map(|rest| server(&rest));
            let joined: Value = serde_json::from_slice(&bulk.join(answer.as_deref()).unwrap()).unwrap();
            let answers = joined["items"].as_array().unwrap();
            prop_assert_eq!(answers.len(), items.len());
            for ((answer, item), (_, withheld)) in answers.iter().zip(&bulk.items).zip(&items) {
                let answer = &answer[&item.action];
                prop_assert_eq!(&answer["_id"], &item.id);
                prop_assert_eq!(&answer["status"], &json!(if *withheld { 429 } else { 200 }));
                prop_assert_eq!(answer.get("error").is_some(), *withheld);
            }
        }
    }

    #[test]
    fn a_refusal_names_the_index_of_the_path_unless_the_item_names_its_own() {
        let body = b"{\"index\":{}}\n{}\n{\"delete\":{\"_index\":\"other\",\"_id\":\"7\"}}\n";
        let bulk = Bulk::part(body, Some("people"), |_| true).unwrap();
        let joined: Value = serde_json::from_slice(&bulk.join(None).unwrap()).unwrap();
        assert_eq!(joined["errors"], true);
        assert_eq!(joined["items"][0]["index"]["_index"], "people");
        assert_eq!(joined["items"][0]["index"]["_id"], Value::Null);
        assert_eq!(joined["items"][1]["delete"]["_index"], "other");
        assert_eq!(joined["items"][1]["delete"]["error"]["type"], "es_rejected_execution_exception");
    }

    #[test]
    fn an_item_can_be_answered_as_if_it_were_written() {
        let body = b"{\"index\":{\"_id\":\"a\"}}\n{}\n{\"index\":{\"_id\":\"b\"}}\n{}\n";
        let bulk = Bulk::part(body, Some("people"), |place| place == 0).unwrap().answered(201, "created".to_owned());
        let answer = server(&bulk.rest().unwrap());
        let joined: Value = serde_json::from_slice(&bulk.join(Some(&answer)).unwrap()).unwrap();
        let claimed = json!({ "_index": "people", "_id": "a", "status": 201, "result": "created" });
        assert_eq!((&joined["errors"], &joined["items"][0]["index"]), (&json!(false), &claimed));
        assert_eq!(joined["items"][1]["index"]["_id"], "b");
    }

    #[test]
    fn what_is_no_bulk_is_said_and_not_guessed() {
        assert!(Bulk::part(b"hello\n", None, |_| true).is_err());
        assert!(Bulk::part(b"{}\n", None, |_| true).is_err());
        let bulk = Bulk::part(b"{\"delete\":{\"_id\":\"7\"}}\n", None, |_| false).unwrap();
        assert_eq!(bulk.join(Some(b"{}")).unwrap_err(), Unfit("1 items were passed on, but 0 answered".to_owned()));
    }
}
