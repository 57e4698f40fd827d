//! The interfaces of WASI that the context does not offer: they may be imported, and trap when they are called.
//!
//! wasmtime's own `define_unknown_imports_as_traps` compares exact names: a plugin that imports WASI 0.2.6 would lose
//! everything that a host of 0.2.7 offers. So the offered interfaces are listed here.

use wasmtime::{
    Engine,
    component::{
        Component, Linker, LinkerInstance, ResourceType,
        types::{self, ComponentItem},
    },
};
use wasmtime_wasi::p2::bindings::io;

use super::Guest;

/// Interfaces of WASI 0.2 that the context offers, as `wasmtime_wasi::p2` links them.
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

/// Links a trap for every import of `wasi:` that the context does not offer.
pub fn link(linker: &mut Linker<Guest>, engine: &Engine, component: &Component) -> wasmtime::Result<()> {
    let component = component.component_type();
    let stub = Stub { engine, streams: streams(engine, &component) };
    for (name, import) in component.imports(engine) {
        if name.starts_with("wasi:") && !is_offered(name) {
            stub.link(&mut linker.root(), name, name, &import.ty)?;
        }
    }
    Ok(())
}

fn is_offered(import: &str) -> bool {
    let Some((interface, version)) = import.split_once('@') else { return false };
    version.starts_with("0.2.") && OFFERED.contains(&interface)
}

struct Stub<'a> {
    engine: &'a Engine,
    /// The context's own resources that absent interfaces use, as the component and as the host know them.
    streams: Vec<(ResourceType, ResourceType)>,
}

impl Stub<'_> {
    fn link(
        &self,
        linker: &mut LinkerInstance<Guest>,
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
                for (name, export) in instance.exports(self.engine) {
                    self.link(&mut inner, &format!("{path}#{name}"), name, &export.ty)?;
                }
                Ok(())
            }
            ComponentItem::Resource(resource) => {
                let known = self.streams.iter().find(|(guest, _)| guest == resource).map(|(_, host)| *host);
                linker.resource(name, known.unwrap_or(ResourceType::host::<()>()), |_, _| Ok(()))
            }
            _ => Ok(()),
        }
    }
}

/// The resources of `wasi:io` that a component imports. `wasi:http`, which JavaScript plugins import, uses them.
fn streams(engine: &Engine, component: &types::Component) -> Vec<(ResourceType, ResourceType)> {
    let mut found = Vec::new();
    for (interface, import) in component.imports(engine) {
        let ComponentItem::ComponentInstance(instance) = import.ty else { continue };
        for (name, export) in instance.exports(engine) {
            let host = match (interface.split('@').next(), name) {
                (Some("wasi:io/error"), "error") => ResourceType::host::<io::error::Error>(),
                (Some("wasi:io/poll"), "pollable") => ResourceType::host::<io::poll::Pollable>(),
                (Some("wasi:io/streams"), "input-stream") => ResourceType::host::<io::streams::InputStream>(),
                (Some("wasi:io/streams"), "output-stream") => ResourceType::host::<io::streams::OutputStream>(),
                _ => continue,
            };
            if let ComponentItem::Resource(guest) = export.ty {
                found.push((guest, host));
            }
        }
    }
    found
}
