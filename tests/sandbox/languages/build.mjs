// componentize-js as a command: build.mjs PLUGIN.js WIT OUT.wasm. Runs from where npm has installed the compiler.
import { readFile, writeFile } from "node:fs/promises";
import { componentize } from "@bytecodealliance/componentize-js";

const [source, witPath, out] = process.argv.slice(2);
const { component } = await componentize(await readFile(source, "utf8"), { witPath, worldName: "plugin" });
await writeFile(out, component);
