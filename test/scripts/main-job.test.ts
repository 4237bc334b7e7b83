import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { compareMounted } from "../../src/main/compare-mounted.ts";
import { compareTree } from "../../src/main/compare-tree.ts";
import { hostTarget } from "../../src/main/host-target.ts";
import { contentsOf, type HostTree, readContents, scanTree } from "../../src/main/host-tree.ts";
import { loadTree } from "../../src/main/load-tree.ts";
import { barStage } from "../../src/main/progress.ts";
import { median } from "../../src/main/sample.ts";
import { whyNoSwap } from "../../src/main/swap-round.ts";
import { isSkip, type Target } from "../../src/main/target.ts";
import { makeTemporaryFolder } from "../../src/main/temporary-folder.ts";

const MAIN = fileURLToPath(new URL("../../build/main.mjs", import.meta.url));
const MTIME = 1_600_000_000.123456;
let root: string;

/** A small tree with one of everything that the main job compares. */
function makeTree(): string {
  const folder = fs.mkdtempSync(join(tmpdir(), "foliofs-tree-"));
  fs.mkdirSync(`${folder}/a/deep/er`, { recursive: true });
  fs.mkdirSync(`${folder}/empty-folder`);
  fs.writeFileSync(`${folder}/a/text`, "hello");
  fs.writeFileSync(`${folder}/a/deep/pages`, Buffer.alloc(3 * 4096 + 17, "pages"));
  fs.writeFileSync(`${folder}/a/deep/er/empty`, "");
  fs.writeFileSync(`${folder}/a/ünïcode ☃`, "snow");
  fs.linkSync(`${folder}/a/text`, `${folder}/a/text-again`);
  fs.symlinkSync("../a/text", `${folder}/empty-folder/to-text`);
  fs.symlinkSync("nowhere", `${folder}/dangling`);
  fs.writeFileSync(`${folder}/script`, "#!/bin/sh\n");
  fs.chmodSync(`${folder}/script`, 0o4755);
  fs.chmodSync(`${folder}/a/deep/pages`, 0o444);
  fs.chmodSync(`${folder}/a/deep/er`, 0o555);
  for (const path of ["a/text", "a/deep", "dangling"]) fs.lutimesSync(`${folder}/${path}`, MTIME, MTIME);
  return folder;
}

beforeAll(() => {
  root = makeTree();
});

afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

const targets: Target[] = [];
afterEach(() => {
  for (const target of targets.splice(0)) target.destroy();
});

function loaded(): { tree: HostTree; target: Target } {
  const umask = process.umask(0);
  try {
    const tree = scanTree(root);
    readContents(tree, () => {});
    const target = hostTarget(tree);
    if (isSkip(target)) throw new Error(target.reason);
    targets.push(target);
    loadTree(target, tree, () => {});
    return { tree, target };
  } finally {
    process.umask(umask);
  }
}

describe("compareTree", () => {
  it("finds nothing in a faithful copy", () => {
    const { tree, target } = loaded();

    expect(compareTree(target, tree, () => {})).toEqual([]);
  });

  it.each<[what: string, path: string, change: (fs: Target["fs"], path: string) => void, found: RegExp]>([
    ["contents", "a/text", (fs, path) => fs.writeFileSync(path, "jello"), /contents differ/],
    ["size", "a/text", (fs, path) => fs.writeFileSync(path, "hello world"), /size is 11, should be 5/],
    ["mode", "script", (fs, path) => fs.chmodSync(path, 0o755), /mode is 0100755, should be 0104755/],
    ["mode of a folder", "a/deep/er", (fs, path) => fs.chmodSync(path, 0o755), /mode is 040755, should be 040555/],
    ["time", "a/text", (fs, path) => fs.writeFileSync(path, "hello"), /mtimeNs is \d+, should be 1600000000123456/],
  ])("finds another %s", (_what, path, change, found) => {
    const { tree, target } = loaded();
    change(target.fs, `${target.root}/${path}`);

    const mismatches = compareTree(target, tree, () => {}).filter((mismatch) => mismatch.path === path);

    expect(mismatches.map(({ what }) => what)).toContainEqual(expect.stringMatching(found));
  });

  it("finds a time that is off by little", () => {
    const { tree, target } = loaded();
    const entry = tree.entries.find(({ path }) => path === "a/deep/pages");
    if (entry === undefined) throw new Error("no entry");
    target.setTimes(`${target.root}/a/deep/pages`, entry.atimeNs, entry.mtimeNs + 2n * target.timeResolutionNs);

    expect(compareTree(target, tree, () => {})).toEqual([
      { path: "a/deep/pages", what: expect.stringContaining("mtimeNs") },
    ]);
  });

  it("finds missing and additional names, and links that lead elsewhere or are copies", () => {
    const { tree, target } = loaded();
    const volume = target.fs as typeof fs;
    volume.unlinkSync(`${target.root}/dangling`);
    volume.symlinkSync("somewhere", `${target.root}/dangling`);
    volume.unlinkSync(`${target.root}/a/text-again`);
    volume.writeFileSync(`${target.root}/a/text-again`, "hello");
    volume.chmodSync(`${target.root}/a/deep/er`, 0o755);
    volume.renameSync(`${target.root}/a/deep/er/empty`, `${target.root}/a/deep/er/other`);

    const found = compareTree(target, tree, () => {}).map(({ path, what }) => `${path}: ${what}`);

    expect(found).toContain("dangling: leads to somewhere, should lead to nowhere");
    expect(found).toContainEqual(expect.stringMatching(/^a\/text-again: shares its inode with .* a\/text$/));
    expect(found).toContain("a/text: link count is 1, should be 2");
    expect(found).toContain("a/deep/er: has a name too many: other");
    expect(found).toContain("a/deep/er: lacks the name empty");
    expect(found).toContainEqual(expect.stringMatching(/^a\/deep\/er\/empty: ENOENT/));
  });
});

describe("compareMounted", () => {
  const tree = () => scanTree(root);
  const found = (mounted: Partial<typeof fs>): string[] => {
    const target = { ...loaded().target, fs: { ...fs, ...mounted }, root };
    return compareMounted(target, tree(), () => {}).map(({ path, what }) => `${path}: ${what}`);
  };

  it("finds nothing in the folder itself", () => {
    expect(found({})).toEqual([]);
  });

  it("finds other contents, names and links, what is not there, and each attribute but the access time", () => {
    const lstatSync = ((path: string) =>
      Object.assign(
        fs.lstatSync(path, { bigint: true }),
        path.endsWith("/script") && { mode: 1n, atimeNs: 1n },
      )) as never;
    expect(found({ lstatSync })).toEqual([`script: mode is 1, should be ${0o104755}`]);
    expect(found({ readlinkSync: (() => "nowhere") as never })).toEqual(["empty-folder/to-text: leads elsewhere"]);
    const readdirSync = ((path: string) => fs.readdirSync(path).filter((name) => name !== "text")) as never;
    expect(found({ readdirSync })).toEqual(["a: names differ"]);
    const readFileSync = ((path: string) => {
      if (path.endsWith("empty")) throw new Error("EIO: i/o error, read");
      return path.endsWith("script") ? Buffer.from("#!/bin/s\n") : fs.readFileSync(path);
    }) as never;
    expect(found({ readFileSync })).toEqual(["a/deep/er/empty: EIO: i/o error, read", "script: contents differ"]);
  });
});

describe("whyNoSwap", () => {
  it("is nothing for a tree whose names fit in half of the memory, and says how many do not", () => {
    const tree = scanTree(root);
    const [entry] = tree.entries;
    const withNames = (nr: number) => whyNoSwap(tmpdir(), { ...tree, entries: Array(nr).fill(entry) });

    expect(whyNoSwap(tmpdir(), tree)).toBeUndefined();
    expect(withNames(32_769)).toBe("32769 names are too many for 64 MiB");
    expect(withNames(32_768) ?? "").not.toMatch(/names/);
  });
});

describe("contentsOf", () => {
  it("has one sentence for a file that is gone since", () => {
    const folder = fs.mkdtempSync(join(tmpdir(), "foliofs-gone-"));
    fs.writeFileSync(`${folder}/file`, "text");
    const tree = scanTree(folder);
    fs.rmSync(folder, { recursive: true });

    const entry = tree.entries.find(({ kind }) => kind === "file") as HostTree["entries"][number];
    expect(() => contentsOf(tree, entry)).toThrow(`${folder}/file does not exist.`);
  });
});

describe("makeTemporaryFolder", () => {
  it("removes what a run that is no more has left, and leaves what is of others", () => {
    const folder = fs.mkdtempSync(join(tmpdir(), "foliofs-left-"));
    const gone = spawnSync(process.execPath, ["--version"]).pid;
    const kept = [`foliofs-start-${process.pid}-x`, "foliofs-start-x", "other"];
    for (const name of [`foliofs-start-${gone}-x`, ...kept]) fs.mkdirSync(`${folder}/${name}`);
    try {
      const made = makeTemporaryFolder(folder).slice(folder.length + 1);
      expect(fs.readdirSync(folder).sort()).toEqual([...kept, made].sort());
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});

describe("barStage", () => {
  it("gives what the step returns, and throws what it throws", () => {
    const step = (onEntry: (nrEntries: number) => void): number => {
      for (let nr = 1; nr <= 1024; nr++) onEntry(nr);
      return 7;
    };

    expect(barStage("step", 1024, step)).toBe(7);
    expect(() => barStage("step", 1, () => JSON.parse("{"))).toThrow(SyntaxError);
  });
});

describe("median", () => {
  it("is the middle one, whatever their order", () => {
    expect([median([3, 1, 2]), median([10, 9]), median([7]), median([])]).toEqual([2, 10, 7, undefined]);
  });
});

/** Where the host gives huge pages without being asked, one fault brings 2 MiB. */
function pagesPerFault(): number {
  const setting = "/sys/kernel/mm/transparent_hugepage/enabled";
  return fs.existsSync(setting) && fs.readFileSync(setting, "utf8").includes("[always]") ? 512 : 1;
}

describe("npm start", () => {
  function start(...args: string[]): SpawnSyncReturns<string> {
    return spawnSync(process.execPath, ["--expose-gc", MAIN, ...args], { encoding: "utf8" });
  }

  it("loads, compares and prints one table", () => {
    const { status, stdout, stderr } = start(root);

    expect(stderr).not.toMatch(/ at .*\d+:\d+/);
    expect(status).toBe(0);
    for (const row of [
      "files",
      "bytes",
      "load",
      "load again",
      "walk \\+ stat",
      "read all",
      "snapshot",
      "restore",
      "memory used",
    ]) {
      expect(stdout).toMatch(new RegExp(`│ ${row} +│`));
    }
    expect(stdout).toMatch(/│ files +│ 5 /);
    expect(stdout).toMatch(/│ mismatches +│ 0 +│ 0 /);
  });

  it("shows medians, and the rows on fresh memory apart, with their page faults", () => {
    const { status, stdout } = start(root, "--rounds", "2");

    expect(status).toBe(0);
    expect(stdout).toMatch(/│ medians of 2 +│ foliofs +│ memfs +│ tmpfs +│ hostfs +│ swap +│ layers +│/);
    const labels = [...stdout.matchAll(/^│ (.+?) *│/gm)].map(([, label]) => label);
    const fresh = labels.slice(labels.indexOf("-- fresh memory") + 1, labels.indexOf("-- memory in use"));
    expect(fresh).toEqual(["load", "  page faults", "snapshot", "  page faults", "restore", "  page faults"]);
    const warm = labels.slice(labels.indexOf("-- memory in use") + 1, labels.indexOf("-- the folder itself, mounted"));
    expect(warm).toEqual(["load again", "walk + stat", "read all"]);
    expect(stdout).toMatch(/^Fresh memory: .* page fault .*\d\.\d µs/m);
  });

  it("takes the folder through hostfs: what is warm is from pages, and a copy is on the host after sync", () => {
    const { status, stdout, stderr } = start(root, "--rounds", "1", "--only", "hostfs");

    expect(stderr).not.toMatch(/ at .*\d+:\d+/);
    expect(status).toBe(0);
    const labels = [...stdout.matchAll(/^│ (.+?) *│/gm)].map(([, label]) => label);
    expect(labels.slice(labels.indexOf("-- the folder itself, mounted") + 1, labels.indexOf("--"))).toEqual([
      "hostfs cold: walk + stat",
      "hostfs cold: read all",
      "hostfs warm: walk + stat",
      "hostfs warm: read all",
      "hostfs copy",
      "hostfs sync",
    ]);
    const rows = new Map(
      [...stdout.matchAll(/^│ (hostfs \w+: .+?|mismatches) +│ (\d+) +│/gm)].map(([, a, b]) => [a, b]),
    );
    expect(Object.fromEntries(rows)).toMatchObject({
      mismatches: "0",
      "hostfs cold: pages missed": "7", // one of each text, four of a/deep/pages
      "hostfs cold: pages hit": "1", // a/text by its other name
      "hostfs cold: host reads": "4",
      "hostfs warm: pages missed": "0",
      "hostfs warm: pages hit": "8",
      "hostfs warm: host reads": "0",
      "hostfs copy: pages dirty before sync": expect.stringMatching(/^[07]$/),
      "hostfs copy: host writes": "4",
    });
  });

  it("takes more than 64 MiB through 64 MiB with swap, and leaves no swap file", () => {
    const folder = fs.mkdtempSync(join(tmpdir(), "foliofs-more-"));
    const nrFiles = 24;
    for (let i = 0; i < nrFiles; i++) fs.writeFileSync(`${folder}/${i}`, randomBytes(4 * 2 ** 20 - i));
    const pid = (name: string) => /^foliofs-start-(\d+)-/.exec(name)?.[1];
    const left = () => fs.readdirSync(tmpdir()).filter((name) => pid(name) && !fs.existsSync(`/proc/${pid(name)}`));
    try {
      const { status, stdout, stderr } = start(folder, "--rounds", "1", "--only", "swap");

      expect(stderr).not.toMatch(/ at .*\d+:\d+/);
      expect(status).toBe(0);
      const rows = [...stdout.matchAll(/^│ (.+?) +│ ([\d.]+)(?: s| MiB)? +│/gm)];
      const value = Object.fromEntries(rows.map(([, label, number]) => [label, Number(number)]));
      for (const stage of ["load", "walk + stat", "read all", "load again"])
        expect(value[`within 64 MiB: ${stage}`]).toBeGreaterThanOrEqual(0);
      const nrPages = (nrFiles * 4 * 2 ** 20) / 4096;
      const nrAtLeast = nrPages - (64 * 2 ** 20) / 4096;
      expect(value).toMatchObject({ files: nrFiles, mismatches: 0 });
      expect(value["memory used"]).toBeLessThanOrEqual(64);
      expect(value["within 64 MiB: load: pages swapped out"]).toBeGreaterThan(nrAtLeast);
      expect(value["within 64 MiB: read all: pages swapped in"]).toBeGreaterThan(nrAtLeast);
      expect(value["within 64 MiB: load again: pages swapped out"]).toBeGreaterThan(nrAtLeast);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
    expect(left()).toEqual([]);
  });

  it("lays fifty layers over the folder, and each tells what has been changed in it", () => {
    const { status, stdout, stderr } = start(root, "--rounds", "1", "--only", "layers");

    expect(stderr).not.toMatch(/ at .*\d+:\d+/);
    expect(status).toBe(0);
    const labels = [...stdout.matchAll(/^│ (.+?) *│/gm)].map(([, label]) => label);
    expect(labels.slice(labels.indexOf("-- fifty layers over the tree") + 1, labels.indexOf("--"))).toEqual([
      "50 layers: make",
      "50 layers: walk + stat in one",
      "50 layers: read all in one",
      "50 layers: change 20 files in each",
      "50 layers: diff of each",
    ]);
    const rows = new Map([...stdout.matchAll(/^│ (layers: .+?|mismatches) +│ (\d+) +│/gm)].map(([, a, b]) => [a, b]));
    expect(rows.get("mismatches")).toBe("0");
    expect(Number(rows.get("layers: bytes of each"))).toBeLessThan(32 * 2 ** 10);
    // Four files have one name, and in each a page has been changed.
    expect(rows.get("layers: bytes changed in all")).toBe(String(50 * 4 * 4096));
  });

  it("counts a page fault for each page of fresh memory that foliofs fills", () => {
    const folder = fs.mkdtempSync(join(tmpdir(), "foliofs-pages-"));
    const nrPages = 8192;
    fs.writeFileSync(`${folder}/pages`, Buffer.alloc(nrPages * 4096, 1));
    try {
      const { stdout } = start(folder, "--rounds", "1", "--only", "foliofs");
      const [load] = [...stdout.matchAll(/^│ {3}page faults +│ (\d+) +│/gm)].map(([, count]) => Number(count));

      expect(stdout).not.toContain("medians");
      expect(load).toBeGreaterThan((nrPages * 0.9) / pagesPerFault());
      expect(load).toBeLessThan(nrPages * 2);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it("says how it is used", () => {
    const { status, stdout } = start("--help");

    expect(stdout).toMatch(/^Usage: npm start /);
    expect(status).toBe(0);
  });

  it("says what it leaves out: names, files and targets", () => {
    const folder = fs.mkdtempSync(join(tmpdir(), "foliofs-odd-"));
    spawnSync("mkfifo", [`${folder}/pipe`]);
    fs.writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff])]), "");
    fs.writeFileSync(`${folder}/sparse`, "");
    fs.truncateSync(`${folder}/sparse`, 2 ** 43); // more than any memory has
    try {
      const { status, stdout, stderr } = start(folder, "--only", "memfs,tmpfs", "--rounds", "1");

      expect(stdout).toContain("memfs left out: the tree takes more than half of the free memory.\n");
      expect(stdout).toContain("tmpfs left out: /dev/shm has too little room.\n");
      expect(stdout).toContain("Not loaded: pipe: neither file, folder nor symbolic link.\n");
      expect(stdout).toContain(": the name is not UTF-8.\n");
      expect(stderr).toContain("The tree is large: its files are read from disk while they are loaded");
      expect(status).toBe(0);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it("ends with status 1 and names the file when a target differs", () => {
    const { status, stderr } = start(root, "--damage", "a/text");

    expect(status).toBe(1);
    expect(stderr).toContain("foliofs: a/text: contents differ");
    expect(stderr).toContain("memfs: a/text: contents differ");
    expect(stderr).toContain("hostfs: a/text: contents differ");
    expect(stderr).toContain("swap: a/text: contents differ");
    expect(stderr).toContain("layers: a/text: contents differ");
  });

  it.each([
    ["a folder that does not exist", ["/does/not/exist"], "/does/not/exist does not exist.\n"],
    ["a file", [fileURLToPath(import.meta.url)], `${fileURLToPath(import.meta.url)} is not a folder.\n`],
    ["a size that is none", ["--memory-limit", "much"], "much is no size: write bytes, or a number with k, m or g.\n"],
    ["two folders", ["a", "b"], "One folder at a time, not 2.\n"],
    [
      "nothing to damage",
      [fileURLToPath(new URL(".", import.meta.url)), "--damage", "none"],
      "There is no file none in the tree to damage.\n",
    ],
    ["a number of rounds that is none", ["--rounds", "0"], "--rounds takes a number from 1 to 999, not 0.\n"],
  ])("has one sentence for %s", (_what, args, sentence) => {
    const { status, stdout, stderr } = start(...args);

    expect({ status, stdout, stderr }).toEqual({ status: 1, stdout: "", stderr: sentence });
  });

  it("has one sentence for a folder that may not be read", () => {
    const folder = fs.mkdtempSync(join(tmpdir(), "foliofs-closed-"));
    fs.mkdirSync(`${folder}/closed`, { mode: 0 });
    fs.chmodSync(folder, 0o755);
    try {
      const asNobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
      const env = { ...process.env, NODE_V8_COVERAGE: "" }; // nobody may not write there, and complains
      const { status, stderr } = spawnSync(process.execPath, [MAIN, folder], { encoding: "utf8", env, ...asNobody });

      expect(stderr).toBe(`${folder}/closed cannot be read: permission denied.\n`);
      expect(status).toBe(1);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it.each(["foliofs", "hostfs"])("has one sentence for a limit that nothing fits in: %s", (only) => {
    const { status, stderr } = start(root, "--only", only, "--memory-limit", "1");

    expect(stderr).toMatch(/^foliofs does not start: .*\n$/m);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(status).toBe(1);
  });

  it("has one sentence for a tree that does not fit in the memory limit", () => {
    const folder = fs.mkdtempSync(join(tmpdir(), "foliofs-big-"));
    for (let i = 0; i < 10; i++) fs.writeFileSync(`${folder}/${i}`, Buffer.alloc(2 ** 20, i));
    try {
      const { status, stderr } = start(folder, "--only", "foliofs", "--memory-limit", "8m");

      expect(stderr).toMatch(/^The tree, 11 names with 10\.0 MiB, does not fit in the memory limit of foliofs; /m);
      expect(stderr).not.toMatch(/^ +at /m);
      expect(status).toBe(1);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it("leaves nothing on the host's tmpfs", () => {
    const before = fs.existsSync("/dev/shm")
      ? fs.readdirSync("/dev/shm").filter((name) => name.startsWith("foliofs-start-"))
      : [];
    start(root, "--only", "tmpfs,hostfs,swap");
    start(root, "--only", "hostfs", "--damage", "a/text");
    const after = fs.existsSync("/dev/shm")
      ? fs.readdirSync("/dev/shm").filter((name) => name.startsWith("foliofs-start-"))
      : [];

    expect(after).toEqual(before);
  });
});
