/** hostfs as mounted: nothing outside of the folder is reached, by whatever tree, call or race. */
import { type ChildProcess, fork } from "node:child_process";
import nodeFs from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FolioFs } from "../../../../src/index.ts";
import { createHostfsMount, type HostfsMount } from "../../../helpers/hostfs-mount.ts";

const SWAPPER = fileURLToPath(new URL("swapper.mjs", import.meta.url));
const RACE_MS = 2500;
/** What a file outside has in it, and another is called. */
const SECRET = "secret";

let setup: HostfsMount;
let fs: FolioFs;
let before: string;

beforeEach(() => {
  setup = createHostfsMount();
  fs = setup.fs;
  nodeFs.writeFileSync(`${setup.outside}/canary`, SECRET);
  nodeFs.writeFileSync(`${setup.outside}/${SECRET}`, "");
  before = describeOutside();
});

afterEach(() => {
  expect(describeOutside()).toBe(before);
  setup.dispose();
});

/** All that a call from inside could have changed. */
function describeOutside(): string {
  const { mtimeNs, nlink } = nodeFs.statSync(setup.outside, { bigint: true });
  const canary = nodeFs.statSync(`${setup.outside}/canary`, { bigint: true });
  const text = nodeFs.readFileSync(`${setup.outside}/canary`, "utf8");
  const names = nodeFs.readdirSync(setup.outside);
  return [names, mtimeNs, nlink, canary.mode, canary.uid, canary.ctimeNs, canary.nlink, text].join(" ");
}

type Attempt = (fs: FolioFs, path: string) => unknown;

/** Every way to reach `path`, which leads outside if links were followed, synchronously and by promises. */
const ATTEMPTS: Readonly<Record<string, Attempt>> = {
  readFile: ({ readFileSync }, path) => readFileSync(path, "utf8"),
  readdir: ({ readdirSync }, path) => readdirSync(path),
  opendir: ({ opendirSync }, path) => opendirSync(path).readSync()?.name,
  writeFile: ({ writeFileSync }, path) => writeFileSync(path, "hostile"),
  append: ({ appendFileSync }, path) => appendFileSync(path, "hostile"),
  create: ({ writeFileSync }, path) => writeFileSync(`${path}/new`, "hostile"),
  mkdir: ({ mkdirSync }, path) => mkdirSync(`${path}/new`, { recursive: true }),
  symlink: ({ symlinkSync }, path) => symlinkSync("x", `${path}/new`),
  link: ({ linkSync }, path) => linkSync(path, "/mnt/linked"),
  "link below": ({ linkSync }, path) => linkSync(`${path}/canary`, "/mnt/linked"),
  rename: ({ renameSync }, path) => renameSync(`${path}/canary`, "/mnt/taken"),
  "rename to": ({ renameSync }, path) => renameSync("/mnt/mine", `${path}/given`),
  unlink: ({ unlinkSync }, path) => unlinkSync(`${path}/canary`),
  rmdir: ({ rmdirSync }, path) => rmdirSync(`${path}/canary`),
  rm: ({ rmSync }, path) => rmSync(`${path}/canary`, { recursive: true }),
  chmod: ({ chmodSync }, path) => chmodSync(path, 0o777),
  chown: ({ chownSync }, path) => chownSync(path, 7, 7),
  utimes: ({ utimesSync }, path) => utimesSync(path, 1, 1),
  truncate: ({ truncateSync }, path) => truncateSync(path, 0),
  stat: ({ statSync }, path) => statSync(path).isFile() && statSync(path).size,
  realpath: ({ realpathSync }, path) => realpathSync(path),
  "promises.readFile": ({ promises }, path) => promises.readFile(path, "utf8"),
  "promises.readdir": ({ promises }, path) => promises.readdir(path),
  "promises.writeFile": ({ promises }, path) => promises.writeFile(path, "hostile"),
  "promises.create": ({ promises }, path) => promises.writeFile(`${path}/new`, "hostile"),
  "promises.mkdir": ({ promises }, path) => promises.mkdir(`${path}/new`),
  "promises.link": ({ promises }, path) => promises.link(`${path}/canary`, "/mnt/linked"),
  "promises.rename": ({ promises }, path) => promises.rename(`${path}/canary`, "/mnt/taken"),
  "promises.rename to": ({ promises }, path) => promises.rename("/mnt/mine", `${path}/given`),
  "promises.unlink": ({ promises }, path) => promises.unlink(`${path}/canary`),
  "promises.rm": ({ promises }, path) => promises.rm(path, { recursive: true }),
  "promises.chmod": ({ promises }, path) => promises.chmod(path, 0o777),
  "promises.utimes": ({ promises }, path) => promises.utimes(path, 1, 1),
  "promises.truncate": ({ promises }, path) => promises.truncate(path, 0),
};

/** @returns what the call gives, or the code of its error */
async function tryIt(attempt: Attempt, path: string): Promise<unknown> {
  try {
    return await attempt(fs, path);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

describe.each(["cache=none,ttl=0,maxfds=3", "cache=writethrough,ttl=50"])("hostfs, %s", (data) => {
  it("follows hostile links inside of foliofs alone", async () => {
    const { inside, outside } = setup;
    nodeFs.writeFileSync(`${inside}/mine`, "mine");
    setup.mount(data);
    const links = {
      absolute: outside,
      parent: "../outside",
      "far-parent": `${"../".repeat(40)}${outside.slice(1)}`,
      "of-file": `${outside}/canary`,
      "by-proc": `/proc/self/cwd/${"../".repeat(20)}${outside.slice(1)}`,
    };
    for (const [name, target] of Object.entries(links)) nodeFs.symlinkSync(target, `${inside}/${name}`);
    nodeFs.symlinkSync("absolute", `${inside}/chain`);
    for (const name of [...Object.keys(links), "chain"]) {
      for (const [what, attempt] of Object.entries(ATTEMPTS)) {
        nodeFs.writeFileSync(`${inside}/mine`, "mine");
        const answer = await tryIt(attempt, `/mnt/${name}`);
        expect(`${answer}`, `${what} of ${name}`).not.toContain(SECRET);
      }
    }
    for (const path of ["/mnt/../outside", "/mnt/./../../outside", `/mnt/..${outside}`])
      expect(fs.existsSync(`${path}/${SECRET}`), path).toBe(false);
  });

  it("reaches nothing outside while another process swaps directories and files for links", async () => {
    const { inside, outside } = setup;
    nodeFs.mkdirSync(`${inside}/dir`);
    nodeFs.writeFileSync(`${inside}/dir/canary`, "inside");
    nodeFs.writeFileSync(`${inside}/file`, "inside");
    nodeFs.writeFileSync(`${inside}/mine`, "inside");
    setup.mount(data);
    const child = fork(SWAPPER, [inside, outside]);
    const met = { works: 0, fails: 0 };
    try {
      await new Promise((resolve) => child.once("message", resolve));
      const end = Date.now() + RACE_MS;
      while (Date.now() < end) await tryAll(met);
    } finally {
      await stop(child);
    }
    // Both outcomes came up, so the two processes did meet.
    expect(met.works).toBeGreaterThan(0);
    expect(met.fails).toBeGreaterThan(0);
  }, 30_000);
});

/** Every attempt on what is being swapped, several at a time. */
async function tryAll(met: { works: number; fails: number }): Promise<void> {
  for (const [what, attempt] of Object.entries(ATTEMPTS)) {
    const answers = await Promise.all(["/mnt/dir", "/mnt/file", "/mnt/dir/canary"].map((path) => tryIt(attempt, path)));
    for (const answer of answers) {
      expect(`${answer}`, what).not.toContain(SECRET);
      if (/^E[A-Z]+$/.test(`${answer}`)) met.fails++;
      else met.works++;
    }
  }
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
}
