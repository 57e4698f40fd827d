//! Recipes as persons write them, good and bad. The bad ones are folders of `tests/cases/recipe/`.

use std::{fs, time::Duration};

use proptest::prelude::*;

use super::*;

const GOOD: &str = r#"
recipe = 1
[plugin]
source = "../plugins/persons"
[plugin.settings]
greeting = "hi"
[source.scan]
table = "people"
key = "id"
version = "versionNumber"
[grant.read]
storage = ["tenancies", "people"]
[grant.write]
index = ["persons"]
"#;

fn parse(text: &str) -> Result<Recipe> {
    Recipe::parse(text, Path::new("recipes/persons.toml"), &|_| None)
}

#[test]
fn every_bad_recipe_is_refused_in_the_expected_words() {
    document::tests::refused_in_the_expected_words("recipe", |text| parse(text).unwrap_err());
}

#[test]
fn a_recipe_that_says_little_means_the_defaults() {
    let recipe = parse(GOOD).unwrap();
    assert_eq!((recipe.name.as_str(), recipe.default_env.as_str()), ("persons", "local"));
    assert_eq!(recipe.plugin.settings, r#"{"greeting":"hi"}"#);
    assert!(recipe.plugin.at == PluginAt::Source("recipes/../plugins/persons".into()));
    assert_eq!(recipe.limits.cpu, Duration::from_secs(2));
    assert_eq!(recipe.run.batch_records, 500);
    let Source::Scan { segments, key, .. } = &recipe.source else { panic!("{:?}", recipe.source) };
    assert_eq!((*segments, key), (0, &Key::One("id".into())));
}

#[test]
fn a_figure_of_the_recipe_stands_before_the_default_and_leaves_its_neighbours() {
    let recipe = parse(&format!("{GOOD}[limits]\nwall = \"5s\"\n")).unwrap();
    assert_eq!(recipe.limits.wall, Duration::from_secs(5));
    assert_eq!(recipe.limits, Limits { wall: Duration::from_secs(5), ..parse(GOOD).unwrap().limits });
}

#[test]
fn a_key_is_found_at_its_line_and_a_default_is_not() {
    let recipe = parse(GOOD).unwrap();
    assert_eq!(recipe.line_of("grant.read.storage"), Some(12));
    assert_eq!(recipe.line_of("grant.read"), Some(11));
    assert_eq!(recipe.line_of("limits.cpu"), None);
    assert_eq!(recipe.place_of("recipe"), "recipes/persons.toml:2");
    assert_eq!(recipe.place_of("limits.cpu"), "recipes/persons.toml");
}

#[test]
fn every_named_resource_is_listed_once_with_the_key_that_names_it_first() {
    let resources = parse(GOOD).unwrap().resources();
    let listed: Vec<_> = resources.iter().map(|r| (r.name.as_str(), r.capability, r.key.as_str())).collect();
    let expected = [
        ("people", Capability::Storage, "source.scan.table"),
        ("persons", Capability::Index, "grant.write.index[0]"),
        ("tenancies", Capability::Storage, "grant.read.storage[0]"),
    ];
    assert_eq!(listed, expected);
}

#[test]
fn the_identity_knows_variables_by_name_and_ignores_how_a_run_is_paced() {
    let secret = GOOD.replace("\"hi\"", "\"${TOKEN}\"");
    let with = |text: &str, value: &'static str| {
        Recipe::parse(text, Path::new("r.toml"), &|_| Some(value.into())).unwrap().identity().clone()
    };
    assert_eq!(with(&secret, "one"), with(&secret, "two"));
    assert_eq!(with(GOOD, ""), with(&format!("{GOOD}[run]\nworkers = 3\n"), ""));
    assert_eq!(with(GOOD, ""), with(&GOOD.replace(r#""tenancies", "people""#, r#""people", "tenancies""#), ""));
    for (was, is) in [("\"hi\"", "\"ho\""), ("\"people\"\nkey", "\"folk\"\nkey"), ("versionNumber", "none")] {
        assert_ne!(with(GOOD, ""), with(&GOOD.replace(was, is), ""), "{is}");
    }
    assert_ne!(with(GOOD, ""), with(&GOOD.replace("key = \"id\"", "key = \"id\"\nsegments = 4"), ""));
}

#[test]
fn attributes_belong_to_the_identity_and_the_pace_of_a_scan_does_not() {
    let scan = |more: &str| parse(&GOOD.replace("key = \"id\"", &format!("key = \"id\"\n{more}"))).unwrap();
    let plain = scan("");
    for pace in ["read-share = 0.5", "max-rcu = 10", "consistent = true"] {
        assert_eq!(scan(pace).identity(), plain.identity(), "{pace}");
    }
    let chosen = scan("attributes = [\"surname\", \"id\"]");
    assert_ne!(chosen.identity(), plain.identity());
    assert_eq!(chosen.source.attributes(), ["id", "surname", "versionNumber"], "key and version are added");
    assert!(plain.source.attributes().is_empty());
}

#[test]
fn a_variable_is_replaced_and_its_value_is_never_shown() {
    let text = GOOD.replace("\"hi\"", "\"a ${TOKEN} b $${TOKEN} $\"");
    let variables = |name: &str| (name == "TOKEN").then(|| "hunter2 ${TOKEN} \\ \"".to_owned());
    let recipe = Recipe::parse(&text, Path::new("r.toml"), &variables).unwrap();
    assert_eq!(recipe.plugin.settings, r#"{"greeting":"a hunter2 ${TOKEN} \\ \" b ${TOKEN} $"}"#);
    let shown = format!("{recipe:?} {:?} {:?}", recipe.plugin, recipe.identity());
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn the_defaults_answer_every_key_that_can_have_one() {
    let schema = schema();
    let mut open = Vec::new();
    required(&schema, "", &mut open);
    let expected = [
        "recipe",
        "plugin",
        "source",
        "source.scan",
        "source.scan.table",
        "source.scan.key",
        "source.scan.version",
        "source.file",
        "source.file.path",
        "source.file.key",
        "source.file.version",
        "source.export",
        "source.export.key",
        "source.export.version",
        "source.queue",
        "source.queue.queue",
        "source.queue.key",
        "source.queue.version",
        "source.requests",
        "source.requests.bucket",
        "source.requests.objects",
        "schedule.cron",
    ];
    open.retain(|key| !key.starts_with("index."));
    assert_eq!(open, expected);
}

/// Collects the required keys of a schema in the order of its properties.
fn required(schema: &serde_json::Value, path: &str, out: &mut Vec<String>) {
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().collect();
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let at = document::join(path, key);
        if required.iter().any(|required| *required == key) {
            out.push(at.clone());
        }
        self::required(property, &at, out);
    }
    for choice in schema["oneOf"].as_array().into_iter().flatten() {
        self::required(choice, path, out);
    }
}

#[test]
fn every_key_of_the_schema_is_described_for_editors() {
    fn undescribed(schema: &serde_json::Value, path: &str, out: &mut Vec<String>) {
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            let at = document::join(path, key);
            if !property["description"].is_string() {
                out.push(at.clone());
            }
            undescribed(property, &at, out);
        }
    }
    let mut out = Vec::new();
    undescribed(&schema(), "", &mut out);
    assert_eq!(out, Vec::<String>::new());
}

#[test]
fn a_file_that_cannot_be_a_recipe_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let message = |path: &Path| Recipe::load(path, &|_| None).unwrap_err().message().to_owned();
    let path = dir.path().join("persons.toml");
    assert_eq!(message(&path), "there is no such recipe");
    assert_eq!(message(dir.path()), "the recipe is a directory");
    fs::write(&path, b"recipe = 1\nname = \"\xff\"\n").unwrap();
    assert_eq!(message(&path), "the recipe is not UTF-8");
    fs::File::create(&path).unwrap().set_len(100_000_000).unwrap();
    assert_eq!(message(&path), "the recipe is larger than 1.0 MiB");
    let error = Recipe::load(&dir.path().join("person.toml"), &|_| None).unwrap_err();
    assert!(error.hint_text().unwrap().contains("persons.toml"));
}

#[test]
fn deep_nesting_is_refused_without_a_crash() {
    let arrays = format!("recipe = 1\n[plugin]\nsettings = {{ a = {}{} }}", "[".repeat(10_000), "]".repeat(10_000));
    let dots = format!("recipe = 1\nplugin.settings.{} = 1", vec!["a"; 10_000].join("."));
    for text in [arrays, dots] {
        assert!(parse(&text).is_err());
    }
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_read_over() {
    let recipe = parse(&format!("\u{feff}{}", GOOD.trim_start().replace('\n', "\r\n"))).unwrap();
    assert_eq!(recipe.line_of("grant.read.storage"), Some(11));
}

#[test]
fn numbers_may_be_written_in_every_way_that_toml_knows() {
    for (written, meant) in [("+7", 7), ("1_000", 1000), ("0x1F", 31), ("0b11", 3), ("1000000", 1_000_000)] {
        let recipe = parse(&GOOD.replace("key = \"id\"", &format!("key = \"id\"\nsegments = {written}"))).unwrap();
        let Source::Scan { segments, .. } = recipe.source else { panic!("{written}") };
        assert_eq!(segments, meant, "{written}");
    }
}

#[test]
fn the_time_to_read_a_recipe_grows_with_its_keys_and_not_with_their_square() {
    let taken = |keys: usize| {
        let settings: String = (0..keys).map(|n| format!("k{n} = {n}\n")).collect();
        let text = GOOD.replace("greeting = \"hi\"\n", &settings);
        let begun = std::time::Instant::now();
        let last = format!("plugin.settings.k{}", keys - 1);
        assert_eq!(parse(&text).unwrap().line_of(&last), Some(keys + 5));
        begun.elapsed()
    };
    // A time that grows with the square of the keys would be a hundred times as long.
    let (few, many) = (taken(6_000), taken(60_000));
    assert!(many < few * 50, "{few:?} {many:?}");
}

#[test]
fn a_plugin_outside_the_workspace_is_not_built() {
    let dir = tempfile::tempdir().unwrap();
    let (inside, outside) = (dir.path().join("work/plugins/p"), dir.path().join("elsewhere"));
    fs::create_dir_all(&inside).unwrap();
    fs::create_dir_all(&outside).unwrap();
    fs::create_dir_all(dir.path().join("work/recipes")).unwrap();
    fs::write(dir.path().join("work/Cargo.lock"), "").unwrap();
    let source = |path: &str| {
        let text = GOOD.replace("../plugins/persons", path);
        Recipe::parse(&text, &dir.path().join("work/recipes/r.toml"), &|_| None).unwrap().plugin_source()
    };
    assert_eq!(source("../plugins/p").unwrap(), Some(inside.canonicalize().unwrap()));
    assert!(source("../../elsewhere").unwrap_err().message().contains("outside"));
    assert!(source("../plugins/q").unwrap_err().message().contains("cannot be found"));
    std::os::unix::fs::symlink(&outside, dir.path().join("work/plugins/link")).unwrap();
    assert!(source("../plugins/link").unwrap_err().message().contains("outside"));
}

#[test]
fn a_recipe_in_the_current_directory_has_a_workspace_too() {
    let text = GOOD.replace("../plugins/persons", "src");
    let recipe = Recipe::parse(&text, Path::new("persons.toml"), &|_| None).unwrap();
    assert!(recipe.plugin_source().unwrap().unwrap().ends_with("host/src"));
}

#[test]
fn the_recipes_of_this_repository_are_good() {
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../recipes");
    for (name, table) in [("persons", "people"), ("tenures", "tenancies"), ("assets", "properties")] {
        let recipe = Recipe::load(&recipes.join(format!("{name}.toml")), &|_| None).unwrap();
        assert_eq!(recipe.name, name);
        let Source::Scan { table: scanned, .. } = &recipe.source else { panic!("{:?}", recipe.source) };
        assert_eq!(scanned, table);
        assert_eq!(recipe.grant.write.index, [name]);
    }
}

fn line() -> impl Strategy<Value = String> {
    let words = ["recipe", "plugin", "source.scan", "grant.read", "limits", "run", "index.x", "a", "[[", "]]"];
    let values = ["1", "\"${A}\"", "\"$${\"", "[1, \"x\"]", "{ a = 1 }", "2s", "\"é\t\"", "nan", "2026-01-01", "'''"];
    let words = prop::sample::select(words.to_vec());
    let values = prop::sample::select(values.to_vec());
    prop_oneof![
        words.clone().prop_map(|word| format!("[{word}]")),
        (words, values).prop_map(|(word, value)| format!("{word} = {value}")),
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(lines in prop::collection::vec(line(), 0..12), cut in 0..GOOD.len()) {
        let text = lines.join("\n");
        for text in [text.clone(), format!("{GOOD}{text}"), format!("{}{text}{}", &GOOD[..cut], &GOOD[cut..])] {
            if let Err(error) = parse(&text) {
                error.report();
            }
        }
    }

    #[test]
    fn a_table_laid_over_itself_or_under_nothing_is_itself(lines in prop::collection::vec(line(), 0..8)) {
        let text = lines.join("\n");
        for text in [DEFAULTS, &text] {
            let Ok(table) = DeTable::parse(text).map(Spanned::into_inner) else { continue };
            let plain = |table: &DeTable| format!("{:?}", text_of(&toml::de::DeValue::Table(table.clone())));
            for over in [DeTable::new(), table.clone()] {
                let mut laid = table.clone();
                defaults::overlay(&mut laid, over);
                prop_assert_eq!(plain(&laid), plain(&table));
            }
        }
    }
}

/// A value without its places.
fn text_of(value: &toml::de::DeValue) -> String {
    match value {
        toml::de::DeValue::Table(table) => {
            table.iter().map(|(key, value)| format!("{:?}={};", key.get_ref(), text_of(value.get_ref()))).collect()
        }
        toml::de::DeValue::Array(array) => array.iter().map(|value| text_of(value.get_ref()) + ",").collect(),
        other => format!("{other:?}"),
    }
}
