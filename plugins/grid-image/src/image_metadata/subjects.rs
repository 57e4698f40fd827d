//! What an image is about, by the codes of news agencies.

use crate::{file_metadata::Texts, text::distinct};

const SUBJECTS: [(&str, &[&str]); 19] = [
    ("finance", &["f", "fin", "biz", "max"]),
    ("lifestyle", &["l", "lif", "odd"]),
    ("arts", &["e", "ace", "ent", "cel", "entertainment", "fashion", "showbiz"]),
    ("sport", &["s", "spo"]),
    ("weather", &["o", "wea"]),
    ("politics", &["p", "pol"]),
    ("news", &["i", "a"]),
    ("crime", &["clj"]),
    ("disaster", &["dis"]),
    ("environment", &["evn"]),
    ("health", &["hth"]),
    ("human", &["hum"]),
    ("labour", &["lab"]),
    ("religion", &["rel"]),
    ("science", &["sci"]),
    ("social", &["soi"]),
    ("war", &["war"]),
    ("nature", &["ani", "nat", "wld"]),
    ("education", &["edu"]),
];

/// The subjects of an image's IPTC categories, the supplemental ones first. Unknown codes say nothing.
pub(super) fn subjects(iptc: &Texts) -> Vec<String> {
    let supplemental = iptc.get("Supplemental Category(s)").into_iter().flat_map(|codes| codes.split_whitespace());
    let codes = supplemental.chain(iptc.get("Category").map(String::as_str));
    distinct(codes.filter_map(subject)).into_iter().map(str::to_owned).collect()
}

fn subject(code: &str) -> Option<&'static str> {
    let code = code.to_lowercase();
    SUBJECTS.iter().find(|(_, codes)| codes.contains(&code.as_str())).map(|(subject, _)| *subject)
}
