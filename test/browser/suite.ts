/**
 * Data and names: the part of the tests that runs in a browser too, and so uses neither vitest nor anything of Node.
 *
 * Each case gets a file system in the shape of node:fs and an empty directory; Node itself is one of the subjects.
 */
type NodeFs = typeof import("node:fs");
type Calls =
  | "appendFileSync"
  | "chmodSync"
  | "closeSync"
  | "copyFileSync"
  | "existsSync"
  | "fstatSync"
  | "linkSync"
  | "lstatSync"
  | "mkdirSync"
  | "openSync"
  | "readFileSync"
  | "readSync"
  | "readdirSync"
  | "readlinkSync"
  | "realpathSync"
  | "renameSync"
  | "rmSync"
  | "rmdirSync"
  | "statSync"
  | "symlinkSync"
  | "truncateSync"
  | "unlinkSync"
  | "utimesSync"
  | "writeFileSync"
  | "writeSync";
type CallbackCalls = "readFile" | "stat" | "writeFile";
type PromiseCalls = "mkdir" | "open" | "readFile" | "readdir" | "rm" | "stat" | "writeFile";

/** What the cases call of node:fs. */
export type SuiteFs = Pick<NodeFs, Calls | CallbackCalls> & {
  readonly constants: Pick<NodeFs["constants"], "COPYFILE_EXCL">;
  readonly promises: Pick<NodeFs["promises"], PromiseCalls>;
};

export interface SuiteCase {
  readonly name: string;
  /** @throws when something is not as it should be */
  run(fs: SuiteFs, root: string): void | Promise<void>;
}

/** What became of a case: undefined when it passed, else the error in words. */
export type SuiteResults = Record<string, string | undefined>;

function show(value: unknown): string {
  return value instanceof Uint8Array ? `bytes [${value.subarray(0, 40)}]` : String(JSON.stringify(value));
}

/** Compares by value: bytes as arrays, all else as JSON. */
function equal(actual: unknown, expected: unknown): void {
  if (actual instanceof Uint8Array && expected instanceof Uint8Array) {
    if (actual.length !== expected.length || actual.some((byte, i) => byte !== expected[i])) {
      throw new Error(`got ${show(actual)} of ${actual.length}, wanted ${show(expected)} of ${expected.length}`);
    }
  } else if (show(actual) !== show(expected)) {
    throw new Error(`got ${show(actual)}, wanted ${show(expected)}`);
  }
}

function throws(code: string, call: () => unknown): void {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    equal((error as { code?: string }).code, code);
    return;
  }
  throw new Error(`got ${show(result)}, wanted ${code}`);
}

async function rejects(code: string, call: () => Promise<unknown>): Promise<void> {
  const outcome = await call().then(
    (result) => `the result ${show(result)}`,
    (error) => (error as { code?: string }).code,
  );
  equal(outcome, code);
}

/** Bytes that no page and no shift of a page repeats. */
function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 7 + (i >>> 12) * 13 + (i >>> 20)) & 0xff;
  return bytes;
}

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

const DATA: readonly SuiteCase[] = [
  {
    name: "writes and reads text and bytes",
    run(fs, root) {
      fs.writeFileSync(`${root}/text`, "grüße ☃ 😀");
      equal(fs.readFileSync(`${root}/text`, "utf8"), "grüße ☃ 😀");
      equal(fs.statSync(`${root}/text`).size, 16);
      fs.writeFileSync(`${root}/bytes`, bytes(0, 255, 10, 13, 0));
      equal(fs.readFileSync(`${root}/bytes`), bytes(0, 255, 10, 13, 0));
      equal(fs.readFileSync(`${root}/bytes`) instanceof Uint8Array, true);
    },
  },
  {
    name: "keeps files of many pages apart",
    run(fs, root) {
      const sizes = [0, 1, 4095, 4096, 4097, 65_537, 3_000_001];
      for (const size of sizes) fs.writeFileSync(`${root}/${size}`, pattern(size));
      for (const size of sizes) equal(fs.readFileSync(`${root}/${size}`), pattern(size));
    },
  },
  {
    name: "overwrites, appends and truncates",
    run(fs, root) {
      fs.writeFileSync(`${root}/f`, "0123456789");
      fs.writeFileSync(`${root}/f`, "abc");
      equal(fs.readFileSync(`${root}/f`, "utf8"), "abc");
      fs.appendFileSync(`${root}/f`, "def");
      fs.truncateSync(`${root}/f`, 4);
      fs.truncateSync(`${root}/f`, 6);
      equal(fs.readFileSync(`${root}/f`), bytes(97, 98, 99, 100, 0, 0));
    },
  },
  {
    name: "reads and writes at positions through a descriptor",
    run(fs, root) {
      const fd = fs.openSync(`${root}/f`, "w+");
      equal(fs.writeSync(fd, pattern(10_000), 0, 10_000, 0), 10_000);
      equal(fs.writeSync(fd, bytes(1, 2, 3), 0, 3, 4095), 3);
      const got = new Uint8Array(8);
      equal(fs.readSync(fd, got, 1, 5, 4094), 5);
      const around = pattern(4100);
      equal(got, bytes(0, around[4094], 1, 2, 3, around[4098], 0, 0));
      equal(fs.readSync(fd, got, 0, 8, 10_000), 0);
      fs.closeSync(fd);
      throws("EBADF", () => fs.readSync(fd, got, 0, 1, 0));
    },
  },
  {
    name: "leaves holes that read as zeros",
    run(fs, root) {
      const fd = fs.openSync(`${root}/sparse`, "w+");
      fs.writeSync(fd, bytes(9), 0, 1, 5 * 2 ** 30);
      equal(fs.fstatSync(fd).size, 5 * 2 ** 30 + 1);
      const got = new Uint8Array(3).fill(7);
      equal(fs.readSync(fd, got, 0, 3, 5 * 2 ** 30 - 2), 3);
      equal(got, bytes(0, 0, 9));
      fs.closeSync(fd);
    },
  },
  {
    name: "appends from two descriptors and loses nothing",
    run(fs, root) {
      const [a, b] = [fs.openSync(`${root}/log`, "a"), fs.openSync(`${root}/log`, "a")];
      for (let i = 0; i < 5; i++) {
        fs.writeSync(a, "a");
        fs.writeSync(b, "b");
      }
      fs.closeSync(a);
      fs.closeSync(b);
      equal(fs.readFileSync(`${root}/log`, "utf8"), "ababababab");
    },
  },
  {
    name: "copies files",
    run(fs, root) {
      fs.writeFileSync(`${root}/from`, pattern(9000));
      fs.copyFileSync(`${root}/from`, `${root}/to`);
      equal(fs.readFileSync(`${root}/to`), pattern(9000));
      throws("EEXIST", () => fs.copyFileSync(`${root}/from`, `${root}/to`, fs.constants.COPYFILE_EXCL));
    },
  },
  {
    name: "keeps an unlinked file readable while it is open",
    run(fs, root) {
      fs.writeFileSync(`${root}/f`, "still here");
      const fd = fs.openSync(`${root}/f`, "r");
      fs.unlinkSync(`${root}/f`);
      equal(fs.existsSync(`${root}/f`), false);
      equal(new TextDecoder().decode(fs.readFileSync(fd)), "still here");
      fs.closeSync(fd);
    },
  },
];

const NAMES: readonly SuiteCase[] = [
  {
    name: "makes, lists and removes directories",
    run(fs, root) {
      equal(fs.mkdirSync(`${root}/a/b/c`, { recursive: true }), `${root}/a`);
      for (const name of ["z", "ä", "B", "a"]) fs.writeFileSync(`${root}/a/${name}`, "");
      equal(fs.readdirSync(`${root}/a`), ["B", "a", "b", "z", "ä"]);
      const types = fs.readdirSync(`${root}/a`, { withFileTypes: true }).map((entry) => entry.isDirectory());
      equal(types, [false, false, true, false, false]);
      throws("ENOTEMPTY", () => fs.rmdirSync(`${root}/a`));
      fs.rmSync(`${root}/a`, { recursive: true });
      equal(fs.readdirSync(root), []);
    },
  },
  {
    name: "takes any character in a name but slash and NUL",
    run(fs, root) {
      const names = [" ", "\\", "a\nb", "☃", "%20", "x".repeat(255)].sort();
      for (const name of names) fs.writeFileSync(`${root}/${name}`, name);
      for (const name of names) equal(fs.readFileSync(`${root}/${name}`, "utf8"), name);
      equal(fs.readdirSync(root).sort(), names);
      throws("ENAMETOOLONG", () => fs.writeFileSync(`${root}/${"x".repeat(256)}`, ""));
    },
  },
  {
    name: "renames files and directories, over others too",
    run(fs, root) {
      fs.mkdirSync(`${root}/d`);
      fs.writeFileSync(`${root}/d/f`, "f");
      fs.writeFileSync(`${root}/g`, "g");
      fs.renameSync(`${root}/g`, `${root}/d/f`);
      equal(fs.readFileSync(`${root}/d/f`, "utf8"), "g");
      fs.renameSync(`${root}/d`, `${root}/e`);
      equal(fs.readdirSync(root), ["e"]);
      throws("EINVAL", () => fs.renameSync(`${root}/e`, `${root}/e/inside`));
      fs.mkdirSync(`${root}/other`);
      throws("ENOTEMPTY", () => fs.renameSync(`${root}/other`, `${root}/e`));
      equal(fs.readFileSync(`${root}/e/f`, "utf8"), "g");
    },
  },
  {
    name: "links one file under two names",
    run(fs, root) {
      fs.writeFileSync(`${root}/a`, "shared");
      fs.linkSync(`${root}/a`, `${root}/b`);
      equal(fs.statSync(`${root}/a`).ino === fs.statSync(`${root}/b`).ino, true);
      equal(fs.statSync(`${root}/b`).nlink, 2);
      fs.appendFileSync(`${root}/b`, "!");
      equal(fs.readFileSync(`${root}/a`, "utf8"), "shared!");
      throws("EEXIST", () => fs.linkSync(`${root}/a`, `${root}/b`));
    },
  },
  {
    name: "follows symbolic links, and stops at loops",
    run(fs, root) {
      fs.mkdirSync(`${root}/real`);
      fs.writeFileSync(`${root}/real/f`, "behind");
      fs.symlinkSync("real", `${root}/link`);
      equal(fs.readFileSync(`${root}/link/f`, "utf8"), "behind");
      equal(fs.readlinkSync(`${root}/link`), "real");
      equal(fs.lstatSync(`${root}/link`).isSymbolicLink(), true);
      equal(fs.realpathSync(`${root}/link/f`), `${root}/real/f`);
      fs.symlinkSync("loop", `${root}/loop`);
      throws("ELOOP", () => fs.statSync(`${root}/loop`));
    },
  },
  {
    name: "names what is missing and what stands in the way",
    run(fs, root) {
      fs.writeFileSync(`${root}/f`, "");
      throws("ENOENT", () => fs.readFileSync(`${root}/gone`));
      throws("ENOTDIR", () => fs.readFileSync(`${root}/f/below`));
      throws("EISDIR", () => fs.readFileSync(root));
      throws("EEXIST", () => fs.mkdirSync(`${root}/f`));
      throws("EEXIST", () => fs.openSync(`${root}/f`, "wx"));
      throws("ERR_INVALID_ARG_TYPE", () => fs.readFileSync({} as never));
      equal(fs.statSync(`${root}/gone`, { throwIfNoEntry: false }), undefined);
      equal(fs.existsSync(`${root}/gone`), false);
    },
  },
  {
    name: "keeps modes and times",
    run(fs, root) {
      fs.writeFileSync(`${root}/f`, "");
      fs.chmodSync(`${root}/f`, 0o640);
      fs.utimesSync(`${root}/f`, 1_000_000, 2_000_000.5);
      const stats = fs.statSync(`${root}/f`);
      equal(stats.mode & 0o7777, 0o640);
      equal([stats.atimeMs, stats.mtimeMs], [1_000_000_000, 2_000_000_500]);
      equal(stats.isFile(), true);
      equal(fs.statSync(`${root}/f`, { bigint: true }).mtimeNs === 2_000_000_500_000_000n, true);
    },
  },
];

const FORMS: readonly SuiteCase[] = [
  {
    name: "answers promises",
    async run(fs, root) {
      const { promises } = fs;
      await promises.mkdir(`${root}/p/q`, { recursive: true });
      await promises.writeFile(`${root}/p/q/f`, "promised");
      equal(await promises.readFile(`${root}/p/q/f`, "utf8"), "promised");
      equal(await promises.readdir(`${root}/p`), ["q"]);
      await rejects("ENOENT", () => promises.stat(`${root}/gone`));
      const handle = await promises.open(`${root}/p/q/f`, "r+");
      equal((await handle.write(bytes(80), 0, 1, 0)).bytesWritten, 1);
      equal(await handle.readFile("utf8"), "Promised");
      await handle.close();
      await promises.rm(`${root}/p`, { recursive: true });
      equal(await promises.readdir(root), []);
    },
  },
  {
    name: "answers callbacks, after the call has returned",
    run(fs, root) {
      return new Promise((resolve, reject) => {
        let hasReturned = false;
        fs.writeFile(`${root}/f`, "called back", (error) => {
          if (error) return reject(error);
          if (!hasReturned) return reject(new Error("the callback ran before the call returned"));
          fs.readFile(`${root}/f`, "utf8", (failure, text) => {
            if (failure) return reject(failure);
            if (text !== "called back") return reject(new Error(`read ${text}`));
            fs.stat(`${root}/gone`, (missing) => (missing?.code === "ENOENT" ? resolve() : reject(missing)));
          });
        });
        hasReturned = true;
      });
    },
  },
  {
    name: "lets timers run between promises",
    async run(fs, root) {
      let hasFired = false;
      setTimeout(() => {
        hasFired = true;
      }, 0);
      const start = Date.now();
      while (!hasFired && Date.now() - start < 10_000) await fs.promises.writeFile(`${root}/f`, "x");
      equal(hasFired, true);
    },
  },
];

export const SUITE: readonly SuiteCase[] = [...DATA, ...NAMES, ...FORMS];

/**
 * Runs all cases, each in a directory of its own.
 *
 * @param base an existing directory
 * @returns what became of each, by name
 */
export async function runSuite(fs: SuiteFs, base: string): Promise<SuiteResults> {
  const results: SuiteResults = {};
  for (const [i, { name, run }] of SUITE.entries()) {
    const root = `${base}/case-${i}`;
    try {
      fs.mkdirSync(root);
      await run(fs, root);
      results[name] = undefined;
    } catch (error) {
      results[name] = error instanceof Error ? `${error.message}\n${error.stack}` : String(error);
    }
  }
  return results;
}
