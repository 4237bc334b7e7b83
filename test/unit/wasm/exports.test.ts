import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { coreModule } from "../../helpers/core.ts";
import { COVERAGE_FOLDER } from "../../setup/core-coverage.ts";

describe("the core's interface", () => {
  it("exports exactly what exports.ts declares", () => {
    const source = readFileSync(new URL("../../../src/wasm/exports.ts", import.meta.url), "utf8");
    const declared = [...source.matchAll(/^ {2}(\w+)\??\(/gm)].map(([, name]) => name);
    const exported = WebAssembly.Module.exports(coreModule).map(({ name }) => name);
    assert.deepEqual(exported.filter((name) => name !== "checkLayout").sort(), declared.sort());
  });

  it("has no two exports of one name, and takes as many arguments as it says", () => {
    const source = readFileSync(new URL("../../../src/wasm/exports.ts", import.meta.url), "utf8");
    const imports = { memory: undefined as unknown, self: 40960, now: () => 0, grow: () => -1, abort: () => {} };
    const shared = WebAssembly.Module.imports(coreModule).length > 0 && process.env.FOLIOFS_BUILD === "release-shared";
    imports.memory = new WebAssembly.Memory({ initial: 16, maximum: 1024, shared });
    const { exports } = new WebAssembly.Instance(coreModule, { env: imports as never });
    for (const [, name, parameters] of source.matchAll(/^ {2}(\w+)\??\(([^)]*)\)/gm)) {
      const nr = parameters.trim() === "" ? 0 : parameters.split(",").filter((one) => one.trim() !== "").length;
      assert.equal((exports[name] as () => void).length, nr, name);
    }
  });

  it("imports memory, its slot, a clock and growth, and abort() in the debug build alone", () => {
    const imported = WebAssembly.Module.imports(coreModule).map(({ module, name }) => `${module}.${name}`);
    const expected = ["env.grow", "env.memory", "env.now", "env.self"];
    if ((process.env.FOLIOFS_BUILD ?? "debug") === "debug") expected.unshift("env.abort");
    if (COVERAGE_FOLDER !== undefined) expected.push("env.hit");
    assert.deepEqual(imported.sort(), expected.sort());
  });
});
