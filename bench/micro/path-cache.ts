/**
 * Question: what would a cache from path string to handle, in JavaScript, save over encoding the path for Wasm?
 * A hit with the same string object, and with an equal one, whose text must be compared. A string that has never been
 * a key is hashed first; that is not measured, since making it costs more.
 */
import { compare } from "./compare.ts";

const NR_PATHS = 4096;
const paths = Array.from({ length: NR_PATHS }, (_, i) => pathOf(i));
const cache = new Map(paths.map((path, i) => [path, i]));
const object = Object.fromEntries(cache);
const { buffer } = new WebAssembly.Memory({ initial: 1 });
const window = new Uint8Array(buffer, 4096, 4096);
const encoder = new TextEncoder();

/** A flat string of 38 characters. */
function pathOf(i: number): string {
  return Buffer.from(`/some/directory/deeper/inside/file-${String(i).padStart(4, "0")}`.slice(-39)).toString();
}

/** New strings with the same text, for `nrCalls` calls. */
function copies(nrCalls: number): string[] {
  return Array.from({ length: nrCalls }, (_, i) => pathOf(i % NR_PATHS));
}

const fresh = Array.from({ length: 400 }, () => copies(1000));
let nextFresh = 0;

compare("a path of 38 characters, 4 096 of them", [
  {
    name: "map.get(path), same string object",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) sum += cache.get(paths[i & (NR_PATHS - 1)]) as number;
      return sum;
    },
  },
  {
    name: "map.get(path), an equal string, its hash known",
    run(nrCalls) {
      let sum = 0;
      const strings = fresh[nextFresh++ % fresh.length];
      for (let i = 0; i < nrCalls; i++) sum += cache.get(strings[i]) as number;
      return sum;
    },
  },
  {
    name: "object[path], same string object",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) sum += object[paths[i & (NR_PATHS - 1)]];
      return sum;
    },
  },
  {
    name: "encodeInto, for comparison",
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) sum += encoder.encodeInto(paths[i & (NR_PATHS - 1)], window).written;
      return sum;
    },
  },
]);
