/** foliofs/cloudflare-shell with the real package: each method, and its state backend, do what they do on its own file system. */
import { expect, it } from "vitest";
import { compile, toldBy } from "./sandbox-folder.ts";

/** Where ours is another, by [ours, theirs]. */
const DIFFERENCES = {
  // Writing goes through a link, and does not replace it.
  "symbolic links": [['readFile("/d/f") → "changed"', 'readFile("/d/f") → "through!"']],
  copies: [
    ['cp("/src", "/src/within", {"recursive":true}) → EINVAL', 'cp("/src", "/src/within", {"recursive":true}) → done'],
    // A directory that is moved onto another is merged with it, and does not take its place: `l` stays.
    ['readdir("/src") → ["a.ts","b.js","deep","l"]', 'readdir("/src") → ["a.ts","b.js","deep"]'],
  ],
};

it("has every method of FileSystem, and serves the state backend", () => {
  expect(toldBy("cloudflare-shell.mjs")).toEqual([{ differences: DIFFERENCES, nr: 145 }, [true, 14]]);
});

it("is what the package's types ask for", () => {
  compile(`
    import { createShellFs } from "foliofs/cloudflare-shell";
    import { type FileSystem, FileSystemStateBackend } from "@cloudflare/shell";
    export const fs: FileSystem = createShellFs({ size: 2 ** 20 });
    export const state = new FileSystemStateBackend(createShellFs());`);
});
