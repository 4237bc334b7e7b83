import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { dataToMessages, MESSAGES_SECTION } from "../../scripts/wasm-messages.mjs";
import { releaseBreaches } from "../../scripts/wat-rules.mjs";

function read(path: string): Buffer<ArrayBuffer> {
  return Buffer.from(readFileSync(new URL(`../../${path}`, import.meta.url)));
}

it.each([
  ["(global $a (mut i32) (i32.const 0))", "a mutable global"],
  ['(data $0 (i32.const 12) "x")', "a data segment"],
  ["(start $~start)", "a start function"],
  ['(import "env" "abort" (func $abort (param i32 i32 i32 i32)))', "an import of abort"],
])("finds %s in a release core", (line, message) => {
  expect(releaseBreaches(`(module\n ${line}\n)`)).toEqual([expect.stringContaining(`${message}`)]);
});

it("finds nothing in the compiled release cores", () => {
  expect(releaseBreaches(read("build/core-release.wat").toString())).toEqual([]);
  expect(releaseBreaches(read("build/core-release-shared.wat").toString())).toEqual([]);
});

it("gives the assertion messages of the debug core by address, and leaves no data segment", () => {
  const wasm = read("build/core-debug.wasm");
  const module = new WebAssembly.Module(wasm);
  const [section] = WebAssembly.Module.customSections(module, MESSAGES_SECTION);
  const messages: Record<string, string> = JSON.parse(new TextDecoder().decode(section));

  expect(Object.values(messages)).toContain("assembly/mm/page-alloc.ts");
  expect(dataToMessages(wasm).subarray(0, wasm.length)).toEqual(wasm); // nothing more to move
});

it("refuses to move data that are no strings", () => {
  const preamble = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const bytes = new Array(24).fill(7);
  const segment = [0, 0x41, 8, 0x0b, bytes.length, ...bytes];
  const module = Buffer.from([...preamble, 11, segment.length + 1, 1, ...segment]);

  expect(() => dataToMessages(module)).toThrow("no string literal");
});
