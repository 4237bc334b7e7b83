/**
 * Clones are as on the host's XFS: contents, times, modes, and errors in their order. Needs root, unshare(1), python3, mkfs.xfs and a loop device;
 * where they are not there, the test says so and is skipped.
 */
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";
import { O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_WRONLY } from "../../../src/base/stat-flags.ts";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { seededRandom } from "../../helpers/random.ts";

const PAGE = 4096;
const MIB = 2 ** 20;
const SEED = Number(process.env.FOLIOFS_SEED ?? Math.floor(Math.random() * 2 ** 31));
const ORACLE = fileURLToPath(new URL("../../helpers/reflink-oracle.py", import.meta.url));
const RW = O_CREAT | O_RDWR;
const PUNCH = 3;
const ZERO = 0x11;

type Step = readonly [call: string, ...args: (string | number)[]];

/** Outcomes of scripts on the host. @throws Error that says why there are none */
function onHost(scripts: readonly Step[][]): unknown[][] {
  const base = mkdtempSync(join(tmpdir(), "foliofs-reflink-"));
  try {
    const { stdout, stderr, status } = spawnSync("unshare", ["-m", "python3", ORACLE, base], {
      input: JSON.stringify({ scripts }),
      maxBuffer: 2 ** 26,
      timeout: 50_000,
    });
    if (status !== 0) throw new Error(String(stderr));
    return JSON.parse(String(stdout)) as unknown[][];
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

function whatIsMissing(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs Linux and root";
  try {
    onHost([]);
    return undefined;
  } catch (error) {
    const last = String(error).trim().split("\n").at(-1);
    return `needs unshare(1), python3, mkfs.xfs and a loop device: ${last}`;
  }
}

/** A script on foliofs. */
function onFoliofs(script: readonly Step[]): unknown[] {
  const fs = createFsSync({ memoryLimit: 256 * MIB });
  for (const target of ["/mnt", "/other"]) {
    fs.mkdirSync(target);
    fs.kernel.mount({ type: "tmpfs", target });
  }
  const face = fs.kernel.task({});
  const fds = new Map<string, number>();
  const outcomes = script.map(([call, ...args]) => {
    try {
      return make(face, fds, call, args) ?? null;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      return code;
    }
  });
  fs.kernel.verify();
  fs.kernel.destroy();
  return outcomes;
}

function make(fs: FolioFs, fds: Map<string, number>, call: string, args: readonly (string | number)[]): unknown {
  const path = (p: string | number): string => (String(p).startsWith("other/") ? `/${p}` : `/mnt/${p}`);
  const fd = (name: string | number): number => fds.get(String(name)) ?? 9999;
  const [a, b, c, d] = args as [string, number, number, number];
  const { linux } = fs.kernel;
  switch (call) {
    case "open":
      fds.set(a, fs.openSync(path(b), c));
      return null;
    case "close":
      fs.closeSync(fd(a));
      fds.delete(a);
      return null;
    case "mkdir":
      return fs.mkdirSync(path(a), 0o755);
    case "mkfifo":
      return linux.mkfifoSync(path(a));
    case "write":
      return fs.writeSync(fd(a), Buffer.alloc(c, d), 0, c, b);
    case "ftruncate":
      return fs.ftruncateSync(fd(a), b);
    case "fallocate":
      return fs.fallocateSync(fd(a), b, c, d);
    case "ficlone":
      return linux.ficloneSync(fd(a), fd(b));
    case "ficlonerange": {
      const [srcOffset, srcLength, destOffset] = args.slice(2) as number[];
      return linux.ficlonerangeSync(fd(a), fd(b), { srcOffset, srcLength, destOffset });
    }
    case "chmod":
      return fs.chmodSync(path(a), b);
    case "chattr":
      return linux.chattrSync(path(a), b);
    case "limit":
      fs.kernel.taskOf(fs).fileSizeLimit = Number(a);
      return null;
    case "old":
      return fs.utimesSync(path(a), 1, 1);
    case "look": {
      const bytes = fs.readFileSync(path(a));
      const { size, mode, mtimeMs } = fs.statSync(path(a));
      return [size, createHash("sha1").update(bytes).digest("hex"), mode & 0o7777, mtimeMs === 1000];
    }
    default:
      throw new Error(`no call ${call}`);
  }
}

function expectSame(scripts: readonly Step[][]): unknown[] {
  const host = onHost(scripts);
  for (const [i, script] of scripts.entries()) {
    const own = onFoliofs(script);
    for (const [n, outcome] of own.entries())
      assert.deepEqual(outcome, host[i][n], `script ${i}, call ${n}: ${JSON.stringify(script.slice(0, n + 1))}`);
  }
  return host.flat();
}

const missing = whatIsMissing();
if (missing !== undefined) console.log(`clone.oracle.test.ts: skipped, ${missing}`);
const itOnXfs = it.skipIf(missing !== undefined);

const FILES: readonly Step[] = [
  ["open", "a", "a", RW],
  ["write", "a", 0, 3 * PAGE + 100, 1],
  ["open", "b", "b", RW],
  ["write", "b", 0, 5 * PAGE, 2],
];

describe("clones, as on the host's XFS", () => {
  itOnXfs("share what is there, up to the end of the file", () => {
    expectSame([
      [
        ...FILES,
        ["open", "c", "c", RW],
        ["ficlone", "c", "a"],
        ["look", "c"],
        ["write", "c", 10, 3, 9],
        ["look", "c"],
        ["look", "a"],
      ],
      [...FILES, ["ficlone", "b", "a"], ["look", "b"]], // ends within a page, and the other is longer
      [...FILES, ["ftruncate", "b", 3 * PAGE + 50], ["ficlone", "b", "a"], ["look", "b"]],
      [...FILES, ["ftruncate", "a", 10 * PAGE], ["ficlone", "b", "a"], ["look", "b"]], // holes
      [...FILES, ["ftruncate", "a", 0], ["ficlone", "b", "a"], ["look", "b"]],
      [...FILES, ["ficlone", "a", "a"], ["look", "a"]],
      [...FILES, ["fallocate", "a", 1, 4 * PAGE, 4 * PAGE], ["ficlone", "b", "a"], ["look", "b"]],
    ]);
  });

  itOnXfs("of ranges refuse what cannot be", () => {
    const ranges: [number, number, number][] = [
      [0, 0, 0],
      [0, PAGE, PAGE],
      [0, 2 * PAGE, 20 * PAGE],
      [PAGE, 0, 5 * PAGE],
      [PAGE, 0, 0],
      [1, PAGE, 0],
      [0, PAGE, 1],
      [0, 100, 0],
      [0, 100, 5 * PAGE],
      [3 * PAGE, 100, 4 * PAGE],
      [3 * PAGE, 100, 5 * PAGE],
      [3 * PAGE, 99, 5 * PAGE],
      [3 * PAGE, 101, 5 * PAGE],
      [3 * PAGE, PAGE, 5 * PAGE],
      [4 * PAGE, 0, 0],
      [4 * PAGE, PAGE, 0],
      [3 * PAGE + 100, 0, 0],
      [3 * PAGE + 101, 0, 0],
    ];
    expectSame(
      ranges.flatMap((range): Step[][] => [
        [...FILES, ["ficlonerange", "b", "a", ...range], ["look", "a"], ["look", "b"]],
        [...FILES, ["ficlonerange", "a", "a", ...range], ["look", "a"]],
        [...FILES, ["ficlonerange", "a", "b", ...range], ["look", "a"]],
      ]),
    );
  });

  itOnXfs("fail in the host's order", () => {
    const more: readonly Step[] = [
      ...FILES,
      ["mkdir", "d"],
      ["mkfifo", "p"],
      ["open", "dir", "d", O_RDONLY],
      ["open", "pipe", "p", O_RDWR],
      ["open", "read", "a", O_RDONLY],
      ["open", "write", "b", O_WRONLY],
      ["open", "append", "b", O_RDWR | O_APPEND],
      ["open", "far", "other/f", RW],
      ["write", "far", 0, PAGE, 7],
    ];
    const names = ["a", "b", "dir", "pipe", "read", "write", "append", "far", "none"];
    const pairs = names.flatMap((to) => names.map((from): Step => ["ficlonerange", to, from, 0, PAGE, 10 * PAGE]));
    const frozen: readonly Step[] = [...more, ["chattr", "b", 0x10]];
    const outcomes = expectSame([
      [...more, ...pairs.filter(([, to, from]) => to !== "far" || from !== "far")], // tmpfs has none, and says EOPNOTSUPP
      [
        ...frozen,
        ["ficlonerange", "b", "a", 1, 1, 1],
        ["ficlone", "b", "far"],
        ["ficlone", "b", "dir"],
        ["ficlone", "b", "a"],
        ["chattr", "b", 0],
      ],
      [
        ...more,
        ["limit", 2 * PAGE],
        ["ficlone", "b", "a"],
        ["ficlonerange", "b", "a", 0, PAGE, 2 * PAGE],
        ["ficlonerange", "b", "a", 0, PAGE, PAGE],
        ["look", "b"],
      ],
    ]);
    for (const code of ["EBADF", "EXDEV", "EISDIR", "EINVAL", "EPERM", "EFBIG"])
      assert.ok(outcomes.includes(code), code);
  });

  itOnXfs("change times, and take set-ID bits of others' away", () => {
    expectSame([
      [...FILES, ["old", "a"], ["old", "b"], ["ficlonerange", "b", "a", 0, PAGE, 0], ["look", "a"], ["look", "b"]],
      [...FILES, ["old", "b"], ["ficlonerange", "b", "a", 3 * PAGE + 100, 0, 0], ["look", "b"]],
      [...FILES, ["chmod", "b", 0o6777], ["ficlonerange", "b", "a", 0, PAGE, 0], ["look", "b"]],
    ]);
  });

  itOnXfs("in random scripts", () => {
    console.log(`clone.oracle.test.ts: FOLIOFS_SEED=${SEED}`);
    const outcomes = expectSame(Array.from({ length: 20 }, (_, i) => randomScript(seededRandom(SEED + i))));
    assert.ok(outcomes.filter((outcome) => outcome === null).length > 100);
  });
});

function randomScript(random: (below: number) => number): Step[] {
  const names = ["a", "b", "c"];
  const name = (): string => names[random(names.length)];
  const size = (pages: number): number => (random(2) ? random(pages) * PAGE : random(pages * PAGE));
  const steps: Step[] = names.map((file) => ["open", file, file, RW]);
  for (let i = 0; i < 60; i++) {
    const kind = random(10);
    const file = name();
    if (kind < 3) steps.push(["write", file, size(12), 1 + random(4 * PAGE), 1 + random(250)]);
    else if (kind < 4) steps.push(["ftruncate", file, size(14)]);
    else if (kind < 5) steps.push(["fallocate", file, random(2) ? PUNCH : ZERO, size(12), 1 + random(4 * PAGE)]);
    else if (kind < 6) steps.push(["ficlone", file, name()]);
    else steps.push(["ficlonerange", file, name(), size(10), random(4) ? size(5) : 0, size(14)]);
    steps.push(["look", file]);
  }
  return steps;
}
