/** Random paths through links, by text and to places, lead where they do on the host. FOLIOFS_SEED repeats a run. */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";
import type { FolioFs } from "../../../../src/index.ts";
import { fsWithProc, missingForHostProc, outcomeOf } from "../../../helpers/proc-mount.ts";

type Fs = Pick<FolioFs, keyof typeof nodeFs & keyof FolioFs>;

const missing = missingForHostProc();
const { FOLIOFS_SEED } = process.env;
const host = nodeFs as unknown as Fs;
let folder: string;

beforeAll(() => {
  folder = nodeFs.mkdtempSync("/dev/shm/foliofs-link-paths-");
});
afterAll(() => nodeFs.rmSync(folder, { recursive: true }));

interface Tree {
  /** The folder itself, and links to places in it. */
  readonly starts: readonly string[];
  readonly fds: readonly number[];
}

/** A tree with links of every kind: by text, to places, through each other, in circles. */
function makeTree(fs: Fs, dir: string): Tree {
  fs.mkdirSync(`${dir}/d/e`, { recursive: true });
  fs.writeFileSync(`${dir}/d/e/f`, "deep");
  fs.writeFileSync(`${dir}/g`, "flat");
  const fds = [`${dir}/d`, `${dir}/d/e`, `${dir}/d/e/f`, dir].map((path) => fs.openSync(path, "r"));
  const places = fds.map((fd) => `/proc/self/fd/${fd}`);
  const [d, e, f, top] = places;
  const targets = [
    d,
    `${e}/`,
    f,
    `${f}/`,
    `${top}/d`,
    `${d}/e/..`,
    "s0/e",
    "s1/f",
    `${top}/s0`,
    "s9",
    `${e}/f/x`,
    "d//e/.",
  ];
  for (const [i, target] of targets.entries()) fs.symlinkSync(target, `${dir}/s${i}`);
  fs.symlinkSync(top, `${dir}/d/e/up`);
  return { starts: [dir, ...places], fds };
}

const CALLS: Record<string, (fs: Fs, path: string) => unknown> = {
  readdir: (fs, path) => fs.readdirSync(path).join(),
  readFile: (fs, path) => fs.readFileSync(path, "utf8"),
  lstat: (fs, path) => (fs.lstatSync(path).mode & 0o170000).toString(8),
  readlink: (fs, path) => fs.readlinkSync(path).replace(/fd\/\d+/, "fd/n"),
  open: (fs, path) => fs.closeSync(fs.openSync(path, "r")),
  "open for writing": (fs, path) => fs.closeSync(fs.openSync(path, "r+")),
  "open or make": (fs, path) => fs.closeSync(fs.openSync(path, "a")),
  "open of a directory": (fs, path) => fs.closeSync(fs.openSync(path, fs.constants.O_DIRECTORY)),
  "open of no link": (fs, path) => fs.closeSync(fs.openSync(path, fs.constants.O_NOFOLLOW)),
  mkdir: (fs, path) => fs.mkdirSync(path),
  rmdir: (fs, path) => fs.rmdirSync(path),
  unlink: (fs, path) => fs.unlinkSync(path),
  access: (fs, path) => fs.accessSync(path),
  realpath: (fs, path) => fs.realpathSync.native(path),
};

/** Does no part of the path lead out of the folder? What is there differs. */
function staysBelow(path: string, dir: string): boolean {
  for (let at = path.indexOf("/", 1); at >= 0; at = path.indexOf("/", at + 1)) {
    const part = path.slice(0, at);
    if (dir.startsWith(part) || /^\/proc(\/self(\/fd)?)?$/.test(part)) continue;
    if (!endsBelow(part, dir)) return false;
  }
  return endsBelow(path, dir);
}

/** What is missing ends nowhere; what was removed is known by its link. */
function endsBelow(path: string, dir: string): boolean {
  if (!nodeFs.existsSync(path)) return true;
  try {
    return nodeFs.realpathSync.native(path).startsWith(dir);
  } catch {
    return nodeFs.lstatSync(path).isSymbolicLink() && nodeFs.readlinkSync(path).startsWith(dir);
  }
}

const names = ["d", "e", "f", "g", "..", ".", "up", "none", ...Array.from({ length: 12 }, (_, i) => `s${i}`)];
const component = fc
  .tuple(fc.constantFrom("/", "/", "/", "//"), fc.constantFrom(...names))
  .map((parts) => parts.join(""));
const rest = fc
  .tuple(fc.array(component, { maxLength: 5 }), fc.constantFrom("", "", "", "/"))
  .map((parts) => parts.flat().join(""));
const step = fc.record({ start: fc.nat(4), rest, call: fc.constantFrom(...Object.keys(CALLS)) });

/** One of each outcome that must have come: chance leaves some out now and then. */
const ALWAYS = [
  { start: 3, rest: "", call: "readFile" },
  { start: 0, rest: "/d/e/f", call: "realpath" },
  { start: 4, rest: "", call: "readdir" },
  { start: 0, rest: "/s9", call: "open" },
  { start: 3, rest: "/", call: "open" },
  { start: 1, rest: "/none", call: "open" },
];

/** What a link of /proc leads to has been removed: realpath reads links as text, and the host finds no such name. */
const REMOVED = [
  { start: 2, rest: "/f", call: "unlink" },
  { start: 3, rest: "", call: "realpath" },
  { start: 3, rest: "/d", call: "realpath" },
];

describe("paths through links", () => {
  it.skipIf(missing !== undefined)("lead where they do on the host", () => {
    const outcomes = new Set<string>();
    const property = fc.property(fc.array(step, { minLength: 5, maxLength: 25 }), (steps) => {
      const fs = fsWithProc();
      const dir = nodeFs.mkdtempSync(`${folder}/`);
      const [ours, theirs] = [makeTree(fs, "/tmp"), makeTree(host, dir)];
      try {
        for (const { start, rest, call } of steps) {
          const path = theirs.starts[start] + rest;
          if (!staysBelow(path, dir)) continue;
          const outcome = outcomeOf(() => CALLS[call](fs, ours.starts[start] + rest)).replaceAll("/tmp", "DIR");
          const expected = outcomeOf(() => CALLS[call](host, path)).replaceAll(dir, "DIR");
          assert.equal(outcome, expected, `${call} ${ours.starts[start]}${rest}`);
          outcomes.add(outcome);
        }
        fs.kernel.verify();
      } finally {
        fs.kernel.destroy();
        for (const fd of theirs.fds) nodeFs.closeSync(fd);
        nodeFs.rmSync(dir, { recursive: true });
      }
    });
    fc.assert(property, {
      numRuns: 150,
      examples: [[ALWAYS], [REMOVED]],
      ...(FOLIOFS_SEED && { seed: Number(FOLIOFS_SEED) }),
    });
    for (const expected of ['"deep"', '"d,g,', "ENOTDIR open", "ELOOP", "ENOENT", '"DIR/d/e/f"'])
      assert.ok(
        [...outcomes].some((outcome) => outcome.startsWith(expected)),
        `${expected} has never come`,
      );
  });
});
