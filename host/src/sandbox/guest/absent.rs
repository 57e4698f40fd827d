//! What WASI has and the room has not: it may be imported, and traps when it is called.
//!
//! wasmtime's own `define_unknown_imports_as_traps` looks for exact names: a plugin that imports WASI 0.2.6
//! would lose everything a host of 0.2.7 offers. So the offer is listed here.

use wasmtime::{
    Engine,
    component::{Component, Linker, LinkerInstance, ResourceType, types::ComponentItem},
};

use super::Guest;

/// Interfaces of WASI 0.2 that the room offers, as `wasmtime_wasi::p2` links them.
const OFFERED: [&str; 27] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// Links a trap for every import of `wasi:` that the room does not offer.
pub fn link(linker: &mut Linker<Guest>, engine: &Engine, component: &Component) -> wasmtime::Result<()> {
    for (name, import) in component.component_type().imports(engine) {
        if name.starts_with("wasi:") && !is_offered(name) {
            link_item(&mut linker.root(), engine, name, name, &import.ty)?;
        }
    }
    Ok(())
}

fn is_offered(import: &str) -> bool {
    let Some((interface, version)) = import.split_once('@') else { return false };
    version.starts_with("0.2.") && OFFERED.contains(&interface)
}

fn link_item(
    linker: &mut LinkerInstance<Guest>,
    engine: &Engine,
    path: &str,
    name: &str,
    item: &ComponentItem,
) -> wasmtime::Result<()> {
    match item {
        ComponentItem::ComponentFunc(_) => {
            let path = path.to_owned();
            linker.func_new(name, move |_, _, _, _| {
                Err(wasmtime::format_err!("it called `{path}`, which the sandbox does not offer"))
            })
        }
        ComponentItem::ComponentInstance(instance) => {
            let mut inner = linker.instance(name)?;
            for (name, export) in instance.exports(engine) {
                link_item(&mut inner, engine, &format!("{path}#{name}"), name, &export.ty)?;
            }
            Ok(())
        }
        ComponentItem::Resource(_) => linker.resource(name, ResourceType::host::<()>(), |_, _| Ok(())),
        _ => Ok(()),
    }
}
