//! Things to run over: some have an effect of every kind, some copy objects, one in a hundred is mischief.

use serde_json::json;

use super::lab::Lab;

/// How many things there are.
pub const THINGS: usize = 240;
/// How many records are in a batch: small, so that there are many requests.
pub const BATCH: usize = 10;

/// Runs over the things of a table.
pub fn recipe() -> String {
    format!(
        "recipe = 1\nname = \"things\"\n[plugin]\nfile = \"plugin.wasm\"\n\
         [source.scan]\ntable = \"things\"\nkey = \"id\"\nversion = \"v\"\nsegments = 2\n\
         [grant.read]\nstorage = [\"people\", \"masters\", \"drafts\"]\n\
         [grant.write]\nindex = [\"rogues\"]\nstorage = [\"copies\", \"files\", \"images\"]\nqueue = [\"work\"]\n\
         [run]\nbatch-records = {BATCH}\nlease = \"2s\"\n"
    )
}

/// Everything embedded, but for what a scene puts in its place.
pub fn embedded(more: &str) -> String {
    let mut environment = String::new();
    for (name, kind) in [
        ("people", "sqlite"),
        ("things", "sqlite"),
        ("copies", "sqlite"),
        ("rogues", "sqlite"),
        ("work", "sqlite"),
        ("files", "files"),
        ("images", "files"),
        ("masters", "files"),
        ("drafts", "files"),
    ] {
        if !more.contains(&format!("[backend.{name}.")) {
            environment += &format!("[backend.{name}.{kind}]\n");
            if kind == "files" {
                environment += &format!("directory = \"../{name}\"\n");
            }
        }
    }
    environment + more
}

/// Makes the tables that the plugin may touch.
pub fn tables(lab: &Lab) {
    lab.reindex("load people -", "{\"id\":\"p\"}\n").exits(0);
    lab.reindex("load copies -", "{\"id\":\"first\"}\n").exits(0);
}

/// Loads them; with `copies`, some copy objects.
pub fn load(lab: &Lab, copies: bool) {
    tables(lab);
    let line = |n: usize| {
        let (deed, with) = match n {
            _ if n % 100 == 50 => ("mischief", ""),
            17 if copies => ("copy", "drafts"),
            _ if copies && n % 12 == 5 => ("copy", "masters"),
            _ if n.is_multiple_of(3) => ("everything", ""),
            _ => ("good", ""),
        };
        json!({ "id": format!("t{n:03}"), "v": n, "do": deed, "with": with }).to_string() + "\n"
    };
    lab.reindex("load things -", &(0..THINGS).map(line).collect::<String>()).exits(0);
}
