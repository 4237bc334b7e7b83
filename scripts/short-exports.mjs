/**
 * Short names for the exports of the core in what is published: 750 bytes of gzip, since a name stands in the core and at
 * each of its calls.
 *
 * Sources call exports as `x.name` and in no other way, so that their text says what is a call. Exports that file
 * systems call, as those of others may, keep their names.
 */
import { readFileSync } from "node:fs";
import { listFiles } from "./fingerprint.mjs";
import { leb, PREAMBLE_BYTES, Reader } from "./wasm-bytes.mjs";

const EXPORT_SECTION = 7;
const CALL = /\bx(\??)\.(\w+)/g;
/** Where exports are looked up without `x.name`. */
const HIDDEN_CALL = /\bx(\?\.)?\[/;
/** Where file systems are: our own, and those that users are told to copy. */
export const FILE_SYSTEMS = ["src/fs", "examples"];

/** Not an example for others: it is built with the rest, and calls exports by what names they have. */
const BUILT_TOGETHER = /src\/fs\/overlay\//;

/** Names of exports that a text calls. @throws Error where it hides them */
export function calledIn(text) {
  if (HIDDEN_CALL.test(text))
    throw new Error("an export of the core is called by a name that is not written as x.name");
  return Array.from(text.matchAll(CALL), ([, , name]) => name);
}

/** Names of exports that file systems call. */
export function calledByFileSystems() {
  const paths = listFiles(FILE_SYSTEMS).filter((path) => !BUILT_TOGETHER.test(path));
  return paths.flatMap((path) => calledIn(readFileSync(path, "utf8")));
}

/** @param kept names that stay @returns by the name of each export of a core the one that is published; equal for cores of equal exports */
export function shortNames(wasm, kept) {
  const names = WebAssembly.Module.exports(new WebAssembly.Module(wasm)).map(({ name }) => name);
  return new Map(names.map((name, i) => [name, kept.includes(name) ? name : `$${i.toString(36)}`]));
}

/** A core with other names of its exports. Precondition: `names` has them all. */
export function renameExports(wasm, names) {
  const reader = new Reader(wasm);
  reader.slice(PREAMBLE_BYTES);
  for (;;) {
    const start = reader.pos;
    const id = reader.byte();
    const end = reader.number() + reader.pos;
    if (id === EXPORT_SECTION) {
      const section = renamed(reader, names);
      const head = Buffer.from([id]);
      return Buffer.concat([wasm.subarray(0, start), head, leb(section.length), section, wasm.subarray(end)]);
    }
    reader.pos = end;
  }
}

function renamed(reader, names) {
  const count = reader.number();
  const parts = [leb(count)];
  for (let left = count; left > 0; left--) {
    const name = Buffer.from(names.get(Buffer.from(reader.slice(reader.number())).toString()));
    parts.push(leb(name.length), name, reader.slice(1), reader.numbers(1)); // then its kind and its index
  }
  return Buffer.concat(parts);
}

/** esbuild plugin: has sources call exports by the names that `names` has for them. */
export function callsBy(names) {
  const shorten = (call, optional, name) => (names.has(name) ? `x${optional}.${names.get(name)}` : call);
  return {
    name: "short-exports",
    setup: ({ onLoad }) => {
      onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
        return { contents: readFileSync(path, "utf8").replaceAll(CALL, shorten), loader: "ts" };
      });
    },
  };
}
