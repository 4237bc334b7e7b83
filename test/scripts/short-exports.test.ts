/** Short names for the exports of the published core: the same functions, by names that callers and core agree on. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { build } from "esbuild";
import { describe, it } from "vitest";
import { publishedCore } from "../../scripts/build-wasm.mjs";
import { calledByFileSystems, calledIn, callsBy, renameExports, shortNames } from "../../scripts/short-exports.mjs";

function exportsOf(wasm: Uint8Array): WebAssembly.ModuleExportDescriptor[] {
  return WebAssembly.Module.exports(new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>));
}

describe("short names of exports", () => {
  const cores = ["release", "release-shared"].map((target) => readFileSync(publishedCore(target)));

  it("are the same for both cores, which go on to do the same", () => {
    const [names, shared] = cores.map((core) => shortNames(core, ["dAdd"]));
    assert.deepEqual([...names], [...shared]);
    assert.equal(new Set(names.values()).size, names.size);
    assert.equal(names.get("dAdd"), "dAdd");
    for (const core of cores) {
      const renamed = renameExports(core, names);
      const expected = exportsOf(core).map(({ name, kind }) => ({ name: names.get(name), kind }));
      assert.deepEqual(exportsOf(renamed), expected);
      assert.ok(renamed.length < core.length - 1000);
      const back = new Map(Array.from(names, ([long, short]) => [short, long]));
      assert.deepEqual(renameExports(renamed, back), core);
    }
  });

  it("leave what file systems call, and are all that is published", () => {
    const published = exportsOf(readFileSync("dist/core.wasm")).map(({ name }) => name);
    assert.ok(calledByFileSystems().includes("dAdd"));
    for (const name of calledByFileSystems()) assert.ok(published.includes(name), name);
    const long = published.filter((name) => !name.startsWith("$"));
    assert.deepEqual(long.sort(), [...new Set(calledByFileSystems())].sort());
  });

  it("are what sources call", async () => {
    const names = shortNames(cores[0], []);
    const { outputFiles } = await build({
      entryPoints: ["src/vfs/task.ts"],
      write: false,
      plugins: [callsBy(names)],
    });
    const called = calledIn(outputFiles[0].text).filter((name) => !name.startsWith("$"));
    assert.deepEqual(called, []);
    assert.match(outputFiles[0].text, new RegExp(`x\\.\\${names.get("taskSetRoot")}\\b`));
  });

  it("refuse calls that cannot be seen in the text", () => {
    assert.deepEqual(calledIn("core.x.boot(1); x?.dput(2); max.y(3)"), ["boot", "dput"]);
    assert.throws(() => calledIn('core.x["boot"](1)'), /not written as x\.name/);
    assert.throws(() => calledIn("core.x?.[name](1)"), /not written as x\.name/);
  });
});
