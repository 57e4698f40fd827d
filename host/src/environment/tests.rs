//! Environments as persons write them, good and bad. The bad ones are folders of `tests/cases/environment/`.

use std::fs;

use proptest::prelude::*;

use super::*;
use crate::backend::files;

fn parse(text: &str) -> Result<Environment> {
    Environment::parse(text, Path::new("recipes/environments/dev.toml"), &|_| None)
}

#[test]
fn every_bad_environment_is_refused_in_the_expected_words() {
    document::tests::refused_in_the_expected_words("environment", |text| parse(text).unwrap_err());
}

#[test]
fn a_file_says_where_each_resource_is_and_paths_start_at_it() {
    let text =
        "environment = 1\n[backend.people.sqlite]\nfile = \"p.db\"\n[backend.pages.files]\ndirectory = \"pages\"\n";
    let dev = parse(text).unwrap();
    assert_eq!((dev.name.as_str(), dev.state.as_path()), ("dev", Path::new("recipes/.reindex/dev")));
    assert_eq!(dev.database, Path::new("recipes/.reindex/dev/reindex.db"));
    assert_eq!(dev.backend("pages").unwrap(), &backend::Config::Files(files::Config { directory: "pages".into() }));
    assert_eq!(dev.dir, Path::new("recipes/environments"));
    let own = parse("environment = 1\n[ledger.sqlite]\nfile = \"../l.db\"\n").unwrap();
    assert_eq!(own.database, Path::new("recipes/environments/../l.db"));
}

#[cfg(feature = "dynamodb")]
#[test]
fn a_shared_ledger_calls_aws_and_leaves_the_own_file_to_the_rest() {
    let own = parse("environment = 1\n[backend.people.sqlite]\n").unwrap();
    assert!(own.ledger.is_none() && !own.calls_aws());
    let shared = parse("environment = 1\n[ledger.dynamodb]\nregion = 'eu-west-2'\n[backend.people.sqlite]\n").unwrap();
    let ledger = shared.ledger.as_ref().unwrap();
    assert_eq!((ledger.table.as_str(), ledger.region.as_deref(), ledger.create), ("reindex", Some("eu-west-2"), false));
    assert!(shared.calls_aws());
    assert_eq!(shared.database, own.database);
    assert_eq!(ledger.ids.shards.map(u8::from), Some(16));
    let ids = "environment = 1\n[ledger.dynamodb]\nids = { table = 'Reingest', index = 'by_state' }\n";
    let ids = parse(ids).unwrap().ledger.unwrap().ids;
    assert_eq!((ids.table.as_deref(), ids.shards), (Some("Reingest"), None));
    for bad in ["shards = 8", "create = 1", "table = 7", "ids = { shards = 0 }", "ids = { tabel = 'x' }"] {
        parse(&format!("environment = 1\n[ledger.dynamodb]\n{bad}\n")).unwrap_err();
    }
}

#[test]
fn a_name_that_is_not_bound_is_answered_with_the_line_to_add() {
    let dev = parse("environment = 1\n[backend.people.sqlite]\n").unwrap();
    assert_eq!(
        dev.backend("peple").unwrap_err().report(),
        "error: environment `dev` does not say where `peple` is\n  environment  recipes/environments/dev.toml\n  binds        `people`\n\nhint: did you mean `people`? else add to recipes/environments/dev.toml: [backend.peple.sqlite]"
    );
}

#[test]
fn local_needs_no_file_and_binds_every_name() {
    let dir = tempfile::tempdir().unwrap();
    let local = Environment::find(dir.path(), dir.path(), LOCAL, &|_| None).unwrap();
    assert_eq!((local.state.as_path(), &local.file), (dir.path().join(".reindex").as_path(), &None));
    assert_eq!(local.backend("anything").unwrap(), &EMBEDDED);
}

#[test]
fn an_environment_is_found_above_the_recipe_but_not_above_its_workspace() {
    let dir = tempfile::tempdir().unwrap();
    let recipes = dir.path().join("work/recipes/deep");
    fs::create_dir_all(&recipes).unwrap();
    for (path, name) in [("work/environments", "dev"), ("work/environments", "prod"), ("environments", "stray")] {
        fs::create_dir_all(dir.path().join(path)).unwrap();
        fs::write(dir.path().join(path).join(format!("{name}.toml")), "environment = 1\n").unwrap();
    }
    fs::write(dir.path().join("work/Cargo.lock"), "").unwrap();
    let find = |name: &str| Environment::find(&recipes, &recipes, name, &|_| None);
    assert_eq!(find("dev").unwrap().state, dir.path().join("work/.reindex/dev"));
    assert_eq!(find(LOCAL).unwrap().state, dir.path().join("work/.reindex"));
    assert_eq!(Environment::list(&recipes), ["local", "dev", "prod"]);
    assert_eq!(
        find("pord").unwrap_err().report(),
        "error: there is no environment `pord`\n  known  `local`, `dev` and `prod`\n\nhint: did you mean `prod`?"
    );
    for name in ["stray", "../environments/dev", "", "."] {
        assert!(find(name).is_err(), "{name:?}");
    }
}

#[test]
fn what_replaced_a_variable_is_never_shown() {
    let variables = |_: &str| Some("hunter2".to_owned());
    let path = Path::new("environments/dev.toml");
    let good = "environment = 1\n[backend.people.sqlite]\nfile = \"${DB}\"\n";
    let dev = Environment::parse(good, path, &variables).unwrap();
    assert!(!format!("{dev:?}").contains("hunter2"));
    let unbound = dev.backend("x").unwrap_err();
    assert!(!unbound.report().contains("hunter2"));
}

#[test]
fn the_example_beside_the_recipes_is_good_and_binds_what_they_name() {
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../recipes");
    let example = Environment::find(&recipes, &recipes, "example", &|_| None).unwrap();
    for name in ["people", "tenancies", "properties", "persons", "tenures", "assets"] {
        example.backend(name).unwrap();
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), name in "[a-z\\.\"]{0,4}", value in "[\\$\\{\\}A-Z ]{0,8}") {
        let bound = format!("environment = 1\n[backend.{name}.sqlite]\nfile = \"{value}\"\n{text}");
        for text in [text, bound] {
            if let Err(error) = parse(&text) {
                error.report();
            }
        }
    }
}
