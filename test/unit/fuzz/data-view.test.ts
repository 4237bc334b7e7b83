/** Whatever memory is given as, data calls do the same, on node:fs and on foliofs; getters of options are asked in one order. */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { describe, it } from "vitest";
import type { Call } from "../../../src/fuzz/call.ts";
import { bytesOf, makeView, NR_VIEWS, outsideOf } from "../../../src/fuzz/data-view.ts";
import { NR_DEEDS } from "../../../src/fuzz/deeds.ts";
import { WHOLE_DETAIL } from "../../../src/fuzz/describe.ts";
import { makeModel } from "../../../src/fuzz/model/index.ts";
import { type NodeFs, TaskPerformer } from "../../../src/fuzz/perform.ts";
import { createFsSync } from "../../../src/index.ts";

const KINDS = Array.from({ length: NR_VIEWS }, (_, kind) => kind);
const O_RDWR_CREAT = 0o102;

function program(kind: number): Call[] {
  const by = (call: string, ...args: Call["args"]): Call => ({ task: 0, call, args });
  return [
    by("writeFile", "/a", 5000, 1, kind),
    by("appendFile", "/a", 31, 2, kind),
    by("open", "/a", 0, O_RDWR_CREAT, 0o644),
    by("write", 0, 4098, 3, 4094, kind),
    by("writev", 0, 10, 0, 4, null, kind),
    by("read", 0, 300, null, kind),
    by("read", 0, 5000, 0, kind),
    by("readv", 0, 4095, 7, 1, kind),
    by("read", 0, 0, 0, kind),
    by("readFile", "/a"),
  ];
}

/** A deed each, of memory that can become shorter where it can. */
const DEEDS = KINDS.flatMap((kind) =>
  Array.from({ length: NR_DEEDS }, (_, deed): Call[] => [
    { task: 0, call: "open", args: ["/a", 0, O_RDWR_CREAT, 0o644] },
    { task: 0, call: "write", args: [0, 100, 1, 0] },
    { task: 0, call: "readBy", args: [0, 40, 0, kind, deed] },
    { task: 0, call: "open", args: ["/a", 0, O_RDWR_CREAT, 0o644] },
    { task: 0, call: "writeBy", args: [0, 41, 2, 3, kind, deed] },
    { task: 0, call: "readFile", args: ["/a"] },
  ]),
);

const options = { root: "", detail: WHOLE_DETAIL };

function onFoliofs(calls: readonly Call[]): (string | null)[] {
  const fs = createFsSync({ memoryLimit: 16 * 2 ** 20 });
  const face = { fs: fs as unknown as NodeFs, chdir: () => {}, umask: () => 0, cwd: () => "/" };
  const performer = new TaskPerformer(face, options);
  const outcomes = calls.map((call) => performer.perform(call));
  fs.kernel.destroy();
  return outcomes;
}

function onModel(calls: readonly Call[]): (string | null)[] {
  const performer = new TaskPerformer(
    makeModel({ ...options, tasks: [{ uid: 0, gid: 0, groups: [] }] }).faces[0],
    options,
  );
  return calls.map((call) => performer.perform(call));
}

function onHost(calls: readonly Call[]): (string | null)[] {
  const root = nodeFs.mkdtempSync("/tmp/foliofs-views-");
  const face = { fs: nodeFs as unknown as NodeFs, chdir: () => {}, umask: () => 0, cwd: () => "/" };
  const performer = new TaskPerformer(face, { ...options, root });
  try {
    return calls.map((call) => performer.perform(call));
  } finally {
    nodeFs.rmSync(root, { recursive: true });
  }
}

describe("memory of data calls", () => {
  const plain = onFoliofs(program(0));

  for (const kind of KINDS) {
    it(`of kind ${kind} is as good as a plain buffer`, () => {
      for (const on of [onFoliofs, onModel, onHost]) assert.deepEqual(on(program(kind)), plain);
    });
  }

  it("is what getters of options have left of it", () => {
    const ours = DEEDS.map(onFoliofs);
    assert.deepEqual(ours, DEEDS.map(onHost));
    assert.deepEqual(ours, DEEDS.map(onModel));
    const codes = new Set(ours.flat().map((outcome) => outcome?.split(" ")[0]));
    for (const code of ["EBADF", "ERR_OUT_OF_RANGE", "40", "41", "1"]) assert.ok(codes.has(code), code);
  });

  it("is found out where something else is written to", () => {
    for (const kind of KINDS.slice(1)) {
      const view = makeView(kind, 10);
      bytesOf(view).fill(1);
      assert.equal(outsideOf(view, kind), "");
      new Uint8Array(view.buffer)[view.byteOffset - 1] = 1;
      assert.equal(outsideOf(view, kind), " and outside of the view");
    }
  });

  it("is found out where somebody takes parts of it by methods that may not be its own", () => {
    const OWN = 3;
    const view = makeView(OWN, 10) as Uint8Array & { constructor: object };
    assert.throws(() => view.subarray(1), /by its own method/);
    assert.throws(() => view.slice(1), /by its own method/);
    assert.throws(() => view.set([1]), /by its own method/);
    assert.throws(() => view.map((byte) => byte), /what a part of the caller's memory is to be/);
  });
});
