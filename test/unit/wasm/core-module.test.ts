/** The registry of compiled cores, as a program finds it that has compiled none. */
import { strict as assert } from "node:assert";
import { afterEach, beforeEach, it, vi } from "vitest";

type Registry = typeof import("../../../src/wasm/core-module.ts");

/** The least that is a module. */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

let registry: Registry;

beforeEach(async () => {
  vi.resetModules();
  registry = await import("../../../src/wasm/core-module.ts");
});
afterEach(() => vi.restoreAllMocks());

it("a core is compiled once, at once or off the main thread", async () => {
  let nr = 0;
  registry.registerCore(false, () => {
    nr++;
    return EMPTY;
  });
  const module = await registry.compileCore(false);
  assert.ok(module instanceof WebAssembly.Module);
  assert.equal(await registry.compileCore(false), module);
  assert.equal(registry.coreModule(false), module);
  assert.equal(nr, 1);
});

it("a core that is not there is told of", async () => {
  await assert.rejects(registry.compileCore(true), /import "foliofs\/shared"/);
  assert.throws(() => registry.coreModule(false), /the core is not in this bundle/);
});

it("a program's own core is taken as it is where no build has named any", () => {
  const module = new WebAssembly.Module(EMPTY);
  assert.equal(registry.checkedCore(module), module);
});

it("says what to do where the page's policy forbids WebAssembly, and leaves other errors alone", async () => {
  registry.registerCore(false, () => EMPTY);
  const refusal = new WebAssembly.CompileError(
    "WebAssembly.compile(): Refused to compile: 'unsafe-eval' is not an allowed source of script in the Content Security Policy",
  );
  const compile = vi.spyOn(WebAssembly, "compile").mockRejectedValue(refusal);
  await assert.rejects(registry.compileCore(false), (error: Error) => {
    assert.match(error.message, /add 'wasm-unsafe-eval' to its script-src/);
    assert.equal(error.cause, refusal);
    return true;
  });
  const other = new WebAssembly.CompileError("expected magic word");
  compile.mockRejectedValue(other);
  await assert.rejects(registry.compileCore(false), (error) => error === other);
});
