/** Counters of the core: where they are put, and that what they are put into still compiles. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { counterFile, instrument } from "../../scripts/core-coverage/instrument.mjs";

const TEXT = `
export function kind(n: i32): i32 {
  let sum = 0;
  if (n < 0) return -1;
  else if (n == 0) sum = 1;
  while (n > 1) n -= 2;
  for (let i = 0; i < 2; i++) {
    sum += i;
  }
  switch (n) {
    case 0:
    case 5: {
      sum++;
      break;
    }
    default:
      sum--;
  }
  return sum + n;
}
export function never(): void {}
`;

/** Numbers of the counters that a call reaches. */
function reached(n: number): { hits: Set<number>; counted: ReturnType<typeof instrument> } {
  let nr = 0;
  const counted = instrument(TEXT, "assembly/part.ts", () => nr++);
  const folder = mkdtempSync(join(tmpdir(), "foliofs-instrument-"));
  try {
    writeFileSync(join(folder, "counters.ts"), counterFile(nr));
    writeFileSync(join(folder, "part.ts"), counted.text);
    const asc = resolve("node_modules/assemblyscript/bin/asc.js");
    const args = [asc, "counters.ts", "part.ts", "--runtime", "stub", "-o", "part.wasm", "--bindings", "none"];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder });
    expect(status, String(stderr)).toBe(0);
    const hits = new Set<number>();
    const env = { hit: (id: number) => hits.add(id), abort: () => {} };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(join(folder, "part.wasm"))), {
      env,
    });
    (exports.kind as (n: number) => number)(n);
    return { hits, counted };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it("tells of functions, both sides of a branch and statements that are reached", () => {
  const { hits, counted } = reached(-1);
  expect(counted.functions.map(({ name, counter }) => [name, hits.has(counter)])).toEqual([
    ["kind", true],
    ["never", false],
  ]);
  const first = counted.branches.find(({ type, start }) => type === "if" && start.line === 4);
  expect(first?.counters.map((id: number) => hits.has(id))).toEqual([true, false]);
  const lines = counted.statements.filter(({ counter }) => hits.has(counter)).map(({ start }) => start.line);
  expect([...new Set(lines)]).toEqual([3, 4]);
});

it("does not change what is computed", () => {
  const { hits, counted } = reached(5);
  const lines = counted.statements.filter(({ counter }) => hits.has(counter)).map(({ start }) => start.line);
  expect(lines).toContain(8);
  expect(lines).toContain(17);
  expect(lines).not.toContain(13);
  expect(counted.statements.find(({ start }) => start.line === 4)?.counter).toBe(counted.functions[0].counter);
});
