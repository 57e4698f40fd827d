//! Brings properties into the form of today: arrays where there should be some, languages, and names.

use super::{
    aliases::{self, Form},
    language::{self, DEFAULT},
    node::{ITEM, Node, Read, Tree},
};

const BAGS_AND_SEQUENCES: [&str; 8] =
    ["dc:contributor", "dc:creator", "dc:date", "dc:language", "dc:publisher", "dc:relation", "dc:subject", "dc:type"];
const ALTERNATIVES: [&str; 3] = ["dc:description", "dc:rights", "dc:title"];
const COMMENT: &str = "exif:UserComment";
const TERMS: &str = "xmpRights:UsageTerms";
const RIGHTS: &str = "dc:rights";
const SOUND_RIGHTS: &str = "xmpDM:copyright";

/// Normalises a packet; none if it cannot be.
pub(super) fn normalise(tree: &mut Tree) -> Read<()> {
    tree.schema("dc");
    for place in 0..tree.schemas.len() {
        let schema = &mut tree.schemas[place];
        match schema.name.as_str() {
            "dc" => schema.children.iter_mut().try_for_each(normalise_dublin_core)?,
            "exif" => schema.child(COMMENT).into_iter().for_each(repair_comment),
            "xmpRights" => schema.child(TERMS).into_iter().for_each(language::repair),
            "xmpDM" => move_sound_rights(tree),
            _ => {}
        }
    }
    move_aliases(tree)?;
    name_instance(tree);
    Some(())
}

fn normalise_dublin_core(property: &mut Node) -> Read<()> {
    let is_alternative = ALTERNATIVES.contains(&property.name.as_str());
    if !is_alternative && !BAGS_AND_SEQUENCES.contains(&property.name.as_str()) {
        return Some(());
    }
    if property.is_simple() {
        if is_alternative && property.language().is_none() {
            property.set_language(DEFAULT);
        }
        *property = std::mem::take(property).into_array();
        property.is_alternative = is_alternative;
        property.is_alt_text = is_alternative;
        return Some(());
    }
    // A struct cannot become an array.
    if property.is_struct {
        return None;
    }
    property.is_alternative = is_alternative;
    property.is_alt_text = is_alternative;
    if is_alternative {
        language::repair(property);
    }
    Some(())
}

fn repair_comment(comment: &mut Node) {
    if comment.is_simple() {
        if comment.language().is_none() {
            comment.set_language(DEFAULT);
        }
        *comment = std::mem::take(comment).into_array();
        comment.is_alternative = true;
        comment.is_alt_text = true;
    } else {
        language::repair(comment);
    }
}

/// Adds the rights of a sound to those of the document, after an empty line.
fn move_sound_rights(tree: &mut Tree) {
    const BETWEEN: &str = "\n\n";
    // What is no text counts as an empty one.
    let sound = tree.schema("xmpDM").child(SOUND_RIGHTS);
    let Some(sound) = sound.map(|sound| sound.value.clone().unwrap_or_default()) else { return };
    match tree.schema("dc").child(RIGHTS) {
        Some(rights) if !rights.children.is_empty() => {
            let is_default = |item: &Node| item.language() == Some(DEFAULT);
            if !rights.is_array {
                return;
            }
            if !rights.children.iter().any(is_default) {
                let is_text = |item: &Node| item.is_simple() && item.language().is_some();
                if !rights.is_alt_text || !rights.children.iter().all(is_text) {
                    return;
                }
                let first = rights.children[0].value.clone().unwrap_or_default();
                rights.children.insert(0, default_item(&first));
            }
            let default = rights.children.iter_mut().find(|item| item.language() == Some(DEFAULT));
            if let Some(value) = default.map(|default| default.value.get_or_insert_default()) {
                let kept = value.split_once(BETWEEN).map_or(value.as_str(), |(kept, _)| kept);
                if *value != sound {
                    *value = format!("{kept}{BETWEEN}{sound}");
                }
            }
        }
        Some(rights) if rights.is_alternative => {
            rights.is_alt_text = true;
            rights.children.push(default_item(&format!("{BETWEEN}{sound}")));
        }
        Some(_) => return,
        None => {
            let mut rights = default_item(&format!("{BETWEEN}{sound}")).into_array();
            RIGHTS.clone_into(&mut rights.name);
            rights.is_alternative = true;
            rights.is_alt_text = true;
            tree.schema("dc").children.push(rights);
        }
    }
    tree.schema("xmpDM").children.retain(|property| property.name != SOUND_RIGHTS);
}

fn default_item(text: &str) -> Node {
    let mut item = Node::new(ITEM, text);
    item.set_language(DEFAULT);
    item
}

/// Moves properties with an old name, unless there is one with the name of today.
fn move_aliases(tree: &mut Tree) -> Read<()> {
    for place in 0..tree.schemas.len() {
        if !tree.schemas[place].children.iter().any(|property| property.is_alias) {
            continue;
        }
        let (old, kept) = std::mem::take(&mut tree.schemas[place].children).into_iter().partition(|node| node.is_alias);
        tree.schemas[place].children = kept;
        let old: Vec<Node> = old;
        old.into_iter().try_for_each(|property| move_alias(tree, property))?;
    }
    Some(())
}

fn move_alias(tree: &mut Tree, mut property: Node) -> Read<()> {
    let Some((name, form)) = aliases::alias(&property.name) else { return Some(()) };
    property.is_alias = false;
    let prefix = name.split(':').next().unwrap_or_default();
    let schema = tree.schema(prefix);
    let Some(there) = schema.child(name) else {
        name.clone_into(&mut property.name);
        if form == Form::AltText {
            language_of_default(&mut property)?;
        }
        if form != Form::Same {
            property = property.into_array();
            property.is_alternative = form == Form::AltText;
            property.is_alt_text = property.is_alternative;
        }
        schema.children.push(property);
        return Some(());
    };
    let is_filled = match form {
        Form::Same => true,
        // What is no array has no items by their language.
        Form::AltText if !there.is_array => return None,
        Form::AltText => there.children.iter().any(|item| item.language() == Some(DEFAULT)),
        Form::Item => !there.children.is_empty(),
    };
    if is_filled {
        return Some(());
    }
    if there.is_alt_text {
        language_of_default(&mut property)?;
    }
    ITEM.clone_into(&mut property.name);
    there.children.push(property);
    Some(())
}

/// Gives an item the language of the default; one that has a language cannot be that.
fn language_of_default(item: &mut Node) -> Read<()> {
    item.language().is_none().then(|| item.set_language(DEFAULT))
}

/// A packet that is about a UUID is an instance of that number.
fn name_instance(tree: &mut Tree) {
    const PREFIX: &str = "uuid:";
    const INSTANCE: &str = "xmpMM:InstanceID";
    const LENGTH: usize = 36;
    let about = tree.about.to_lowercase();
    let uuid = about.strip_prefix(PREFIX).unwrap_or(&about);
    let has_hyphens =
        uuid.chars().enumerate().all(|(place, letter)| (letter == '-') == matches!(place, 8 | 13 | 18 | 23));
    if !has_hyphens || uuid.chars().count() != LENGTH {
        return;
    }
    let value = format!("{PREFIX}{uuid}");
    let schema = tree.schema("xmpMM");
    match schema.child(INSTANCE) {
        Some(instance) => *instance = Node::new(INSTANCE, &value),
        None => schema.children.push(Node::new(INSTANCE, &value)),
    }
}
