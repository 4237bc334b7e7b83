import assert from "node:assert/strict";
import { runInNewContext } from "node:vm";
import { describe, it } from "vitest";
import { bytesOf, isBytes, isUint8Array } from "../../../src/base/views.ts";

const views = runInNewContext(`({
  bytes: new Uint8Array([1, 2, 3]),
  words: new Uint16Array([0x0201, 0x0403]),
  view: new DataView(new Uint8Array([9, 1, 2]).buffer, 1),
  memory: new ArrayBuffer(4),
})`) as { bytes: Uint8Array; words: Uint16Array; view: DataView; memory: ArrayBuffer };

const impostors = [
  Object.create(Uint8Array.prototype),
  { [Symbol.toStringTag]: "Uint8Array", byteLength: 1, length: 1 },
  views.memory,
  [1, 2],
  "text",
  null,
  undefined,
];

describe("bytes", () => {
  it("knows views of this realm and of another", () => {
    for (const view of [...Object.values(views).slice(0, 3), Buffer.from("x"), new DataView(new ArrayBuffer(1))]) {
      assert.ok(isBytes(view));
    }
    assert.ok(isUint8Array(views.bytes) && isUint8Array(Buffer.from("x")));
    assert.ok(!isUint8Array(views.words) && !isUint8Array(views.view));
  });

  it("is not taken in by prototypes and tags", () => {
    for (const value of impostors) assert.ok(!isBytes(value) && !isUint8Array(value));
  });

  it("shows the memory of any view as bytes, and a Uint8Array as itself", () => {
    assert.equal(bytesOf(views.bytes), views.bytes);
    assert.deepEqual([...bytesOf(views.words)], [1, 2, 3, 4]);
    assert.deepEqual([...bytesOf(views.view)], [1, 2]);
  });

  it("are none where the memory of a view has gone", () => {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer, 2);
    structuredClone(bytes, { transfer: [bytes.buffer] });
    assert.deepEqual([bytesOf(view).length, bytesOf(bytes).length], [0, 0]);
  });
});
