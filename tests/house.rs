//! The rules of the house, so that they cannot rot.
//!
//! Each rule is a test, and a breach is said as `file:line: what to do`. The tables below are the only place that
//! names a floor or the home of a word; `house/proofs.rs` shows each rule catching what it is there for.

mod proofs;
mod source;

use std::{fs, path::Path as File};

use source::{Keep, Path, mask, paths, without_tests};

/// The rooms of `host/src`, lowest floor first. A room names lower floors only, never a neighbour.
const FLOORS: [&[&str]; 12] = [
    &["error", "clock"],
    &["record", "document"],
    &["capability", "ledger"],
    &["event"],
    &["backend", "sandbox", "observe"],
    &["pipeline", "migration"],
    &["request"],
    &["recipe", "environment", "build"],
    &["run"],
    &["serve"],
    &["cli"],
    &["bin"],
];

/// A word that stays at home.
struct Word {
    says: &'static [&'static str],
    /// Where it may be said, under `host/src`.
    homes: &'static [&'static str],
    /// Whether test modules may say it, too.
    in_tests: bool,
}

const WORDS: [Word; 19] = [
    Word { says: &["wasmtime", "wasmtime_wasi"], homes: &["sandbox/"], in_tests: false },
    Word { says: &["rusqlite"], homes: &["backend/sqlite/"], in_tests: false },
    Word {
        says: &["aws_config"],
        homes: &["backend/aws/", "backend/s3/", "backend/sqs/", "backend/dynamodb/", "backend/elasticsearch/"],
        in_tests: false,
    },
    Word { says: &["aws_sdk_dynamodb"], homes: &["backend/dynamodb/"], in_tests: false },
    Word { says: &["aws_sdk_s3"], homes: &["backend/s3/"], in_tests: false },
    Word { says: &["aws_sdk_sqs"], homes: &["backend/sqs/"], in_tests: false },
    Word { says: &["async_nats"], homes: &["backend/nats/"], in_tests: false },
    Word { says: &["libvips"], homes: &["bin/reindex-image-worker/"], in_tests: false },
    Word { says: &["landlock"], homes: &["bin/reindex-image-worker/"], in_tests: false },
    Word { says: &["seccompiler"], homes: &["bin/reindex-image-worker/"], in_tests: false },
    Word { says: &["notify"], homes: &["backend/files/"], in_tests: false },
    Word { says: &["cronexpr"], homes: &["recipe/"], in_tests: false },
    Word { says: &["axum"], homes: &["serve/"], in_tests: false },
    Word { says: &["prometheus_client"], homes: &["observe/", "serve/"], in_tests: false },
    Word { says: &["reqwest"], homes: &["backend/elasticsearch/"], in_tests: false },
    Word { says: &["Timestamp::now", "SystemTime::now", "Zoned::now"], homes: &["clock.rs"], in_tests: false },
    Word { says: &["println!", "eprintln!", "print!", "eprint!"], homes: &["cli/", "bin/"], in_tests: true },
    Word { says: &["process::exit"], homes: &["cli/", "bin/"], in_tests: false },
    Word { says: &["std::env", "env::var", "env::vars", "env::args"], homes: &["cli/"], in_tests: false },
];

const TOP: [&str; 7] = ["Cargo.toml", "README.md", "host", "plugins", "recipes", "tests", "wit"];
const BESIDE: [&str; 10] = [
    "CHANGELOG.md",
    "Cargo.lock",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "SECURITY.md",
    "clippy.toml",
    "deny.toml",
    "dev",
    "rust-toolchain.toml",
    "rustfmt.toml",
];
const DRAWERS: [&str; 8] = ["utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"];
const MAX_LINES: usize = 500;

/// Plugins whose name is a word of a file format as well, which the host has to say.
const FORMATS: [&str; 1] = ["pyramid"];

/// Homes of people, which stand on one machine only.
const HOMES: [&str; 3] = ["/root/", "/home/", "/Users/"];

/// The only places on the net that are named; who serves packages is each machine's own affair. The last is nobody's.
const LINKS: [&str; 3] = ["https://rustup.rs", "https://toml.io", "https://search.example.org"];

/// A file by its path from the top.
struct Source {
    path: String,
    text: String,
}

struct House {
    sources: Vec<Source>,
}

impl House {
    fn read() -> Self {
        let top = File::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut sources = Vec::new();
        walk(top, "", &mut sources);
        sources.sort_by(|a, b| a.path.cmp(&b.path));
        Self { sources }
    }

    fn under<'a>(&'a self, folders: &'a [&str], ending: &'a str) -> impl Iterator<Item = &'a Source> {
        let lies = |source: &Source| folders.iter().any(|folder| source.path.starts_with(folder));
        self.sources.iter().filter(move |source| lies(source) && source.path.ends_with(ending))
    }

    /// The sources of the host, by their path under `host/src/`.
    fn host(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.under(&["host/src/"], ".rs").map(|source| (&source.path["host/src/".len()..], source))
    }

    fn rust(&self) -> impl Iterator<Item = &Source> {
        self.under(&["host/", "plugins/", "tests/"], ".rs")
    }
}

fn walk(folder: &File, path: &str, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let is_folder = entry.file_type().unwrap().is_dir();
        if name.starts_with('.') || name == "target" || name == "node_modules" {
            continue;
        }
        let path = format!("{path}{name}");
        if is_folder {
            walk(&entry.path(), &format!("{path}/"), sources);
        } else {
            // What is not text has nothing to say.
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            sources.push(Source { path, text });
        }
    }
}

fn breach(source: &Source, line: usize, rule: &str) -> String {
    format!("{}:{line}: {rule}", source.path)
}

#[track_caller]
fn keeps(rule: fn(&House) -> Vec<String>) {
    let house = House::read();
    assert!(house.sources.len() > 20, "the house is not where it was looked for");
    let breaches = rule(&house);
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn a_room_names_lower_floors_only_and_no_neighbour() {
    keeps(floors);
}

fn floors(house: &House) -> Vec<String> {
    let mut breaches = Vec::new();
    for (path, source) in house.host().filter(|(path, _)| *path != "lib.rs") {
        let room = path.split(['/', '.']).next().unwrap_or_default();
        let Some(floor) = floor(room) else {
            breaches.push(breach(source, 1, "this room has no floor; give it one in tests/house.rs"));
            continue;
        };
        let outward = paths(&mask(&source.text, Keep::Code)).into_iter().filter_map(|named| {
            let other = room_of(&named, path)?.to_owned();
            (other != room).then_some((named.line, other))
        });
        breaches.extend(outward.filter_map(|(line, other)| {
            let rule = match self::floor(&other) {
                Some(below) if below < floor => return None,
                Some(_) => format!("`{room}` is on floor {floor} and may not name `{other}`: only lower floors"),
                None => format!("`{other}` is no room; name things by the room they live in"),
            };
            Some(breach(source, line, &rule))
        }));
    }
    breaches
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The room a path leads to, from the file at `path`, if it leaves the module it stands in by the roof.
fn room_of<'a>(named: &'a Path, path: &str) -> Option<&'a str> {
    let module = path.trim_end_matches(".rs").trim_end_matches("/mod");
    let depth = module.split('/').count() + named.inline;
    let supers = named.segments.iter().take_while(|segment| *segment == "super").count();
    let first = named.segments.first()?.as_str();
    let name = match first {
        "crate" | "reindex" => named.segments.get(1),
        "super" if supers >= depth => named.segments.get(supers),
        _ => None,
    };
    name.map(String::as_str)
}

#[test]
fn a_heavy_word_is_said_in_its_home_only() {
    keeps(words);
}

fn words(house: &House) -> Vec<String> {
    let mut breaches = Vec::new();
    for (path, source) in house.host() {
        let code = mask(&source.text, Keep::Code);
        let (all, outside_tests) = (paths(&code), paths(&without_tests(&code)));
        for word in WORDS.iter().filter(|word| !word.homes.iter().any(|home| path.starts_with(home))) {
            let paths = if word.in_tests { &outside_tests } else { &all };
            for (named, says) in paths.iter().flat_map(|named| word.says.iter().map(move |says| (named, says))) {
                if says_so(named, says) {
                    breaches.push(breach(source, named.line, &format!("`{says}` belongs to {:?} only", word.homes)));
                }
            }
        }
    }
    breaches
}

fn says_so(named: &Path, says: &str) -> bool {
    let says: Vec<_> = says.split("::").collect();
    named.segments.windows(says.len()).any(|part| part == says)
}

#[test]
fn nothing_is_left_to_do() {
    keeps(unfinished);
}

fn unfinished(house: &House) -> Vec<String> {
    let unfinished = |named: &Path| ["todo!", "unimplemented!", "dbg!"].iter().any(|word| says_so(named, word));
    let breaches = house.rust().flat_map(|source| {
        let paths = paths(&mask(&source.text, Keep::Code)).into_iter();
        paths.filter(unfinished).map(|named| breach(source, named.line, "finish it or leave it out"))
    });
    breaches.collect()
}

#[test]
fn the_top_level_holds_what_the_plan_says_and_nothing_else() {
    keeps(top);
}

fn top(house: &House) -> Vec<String> {
    let entry = |source: &Source| source.path.split('/').next().unwrap_or_default().to_owned();
    let mut entries: Vec<_> = house.sources.iter().map(entry).collect();
    entries.dedup();
    let strange = entries.iter().filter(|entry| !TOP.contains(&entry.as_str()) && !BESIDE.contains(&entry.as_str()));
    let strange = strange.map(|entry| format!("{entry}:1: does not belong at the top"));
    let missing = TOP.iter().filter(|entry| !entries.iter().any(|there| there == *entry));
    strange.chain(missing.map(|entry| format!("{entry}:1: is missing at the top"))).collect()
}

#[test]
fn every_item_of_the_wit_files_is_documented() {
    keeps(wit);
}

fn wit(house: &House) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in house.under(&["wit/"], ".wit") {
        let (mut documented, mut parentheses) = (false, 0);
        for (n, line) in source.text.lines().map(str::trim).enumerate() {
            if line.starts_with("///") {
                documented = true;
                continue;
            }
            let code = line.split("//").next().unwrap_or_default().trim();
            if parentheses == 0 && is_wit_item(code) && !documented {
                breaches.push(breach(source, n + 1, "give this item a `///` line"));
            }
            documented = code.starts_with('@') && documented;
            parentheses += code.matches('(').count();
            parentheses -= code.matches(')').count().min(parentheses);
        }
    }
    breaches
}

fn is_wit_item(code: &str) -> bool {
    let first = code.split(' ').next().unwrap_or_default();
    let is_name = first.starts_with(|c: char| c.is_ascii_alphabetic() || c == '%');
    is_name && !["package", "use", "import", "export", "include"].contains(&first)
}

#[test]
fn every_file_says_at_its_head_what_it_is_for() {
    keeps(heads);
}

fn heads(house: &House) -> Vec<String> {
    let headless = house.rust().filter(|source| !source.text.starts_with("//! "));
    headless.map(|source| breach(source, 1, "begin with `//!` and what the file is for")).collect()
}

#[test]
fn no_file_is_a_drawer() {
    keeps(drawers);
}

fn drawers(house: &House) -> Vec<String> {
    let is_drawer = |source: &&Source| source.path.split(['/', '.']).any(|part| DRAWERS.contains(&part));
    house.sources.iter().filter(is_drawer).map(|source| breach(source, 1, "name what is in it, not a drawer")).collect()
}

#[test]
fn no_file_is_too_long_to_be_read() {
    keeps(lengths);
}

fn lengths(house: &House) -> Vec<String> {
    let long = house.rust().filter(|source| source.text.lines().count() > MAX_LINES);
    long.map(|source| breach(source, MAX_LINES, "is longer than a file may be; find the seam")).collect()
}

#[test]
fn nothing_names_a_path_of_one_machine_or_a_registry() {
    keeps(places);
}

fn places(house: &House) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in house.under(&["host/", "plugins/", "recipes/", "wit/"], "") {
        for (n, line) in source.text.lines().enumerate() {
            let links = line.match_indices("https://").map(|(at, _)| &line[at..]);
            let unknown = links.filter(|link| !LINKS.iter().any(|known| link.starts_with(known)));
            breaches.extend(unknown.map(|link| breach(source, n + 1, &format!("`{link}` is no place to name"))));
            let strange = HOMES.iter().filter(|place| begins_in(line, place));
            breaches.extend(strange.map(|place| breach(source, n + 1, &format!("`{place}` means nothing elsewhere"))));
        }
    }
    breaches
}

/// Tells `/home/ada` from `./home/ada`.
fn begins_in(line: &str, place: &str) -> bool {
    let goes_on = |before: &str| before.ends_with(|c: char| c.is_alphanumeric() || c == '.' || c == '*');
    line.match_indices(place).any(|(at, _)| !goes_on(&line[..at]))
}

#[test]
fn the_host_knows_no_entity() {
    keeps(entities);
}

/// Comments may give examples, the help texts of `cli` too, and tests need some name.
fn entities(house: &House) -> Vec<String> {
    let plugin = |source: &Source| source.path.split('/').nth(1).map(str::to_owned);
    let mut plugins: Vec<_> = house.under(&["plugins/"], "/Cargo.toml").filter_map(plugin).collect();
    plugins.retain(|plugin| plugin != "guest" && !FORMATS.contains(&plugin.as_str()));
    let mut breaches = Vec::new();
    for (_, source) in house.host().filter(|(path, _)| !path.starts_with("cli/") && !path.ends_with("/tests.rs")) {
        let code = without_tests(&mask(&source.text, Keep::CodeAndTexts));
        for (n, line) in code.lines().enumerate() {
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
            let entity = words.find(|word| plugins.iter().any(|plugin| plugin == word));
            let rule = |entity| format!("`{entity}` is an entity; adding one never edits the host");
            breaches.extend(entity.map(|entity| breach(source, n + 1, &rule(entity))));
        }
    }
    breaches
}
