/** Recursive listings and removals: through links and `..`, in every encoding, and where something is in the way. */
import type { NodeFs } from "../../helpers/subject.ts";
import type { Case, Context } from "../case.ts";
import { RAW_NAME } from "../tree.ts";
import { outcome, program, type Steps, settled, USER } from "./steps.ts";

type Path = string | Buffer;

// --- Listings ---------------------------------------------------------------------------------------------------------

/** `l/..` is `w/p` for the kernel and `w` for who joins paths as text: both have a `q`. */
function buildLinks({ fs, path }: Context): void {
  fs.mkdirSync(path("w/p/q/deep"), { recursive: true });
  fs.mkdirSync(path("w/q/wrong"), { recursive: true });
  fs.writeFileSync(path("w/p/q/file"), "");
  fs.writeFileSync(path("w/p/é"), "");
  fs.writeFileSync(Buffer.concat([Buffer.from(path("w/p/q/deep/")), RAW_NAME]), "");
  fs.symlinkSync("p/q", path("w/l"));
  fs.symlinkSync("q", path("w/p/to-q"));
  fs.symlinkSync("missing", path("w/p/dangling"));
}

const LISTED: readonly Path[] = [
  ...[
    "w",
    "w/",
    "w//",
    "./w",
    "w/.",
    "w/l",
    "w/l/",
    "w/l/.",
    "w/l/..",
    "w/l/../",
    "w/l/..//",
    "w/l/../q",
    "w/p/../l/..",
  ],
  ...[".", "./", "", "missing", "w/p/é", "w/missing/.."],
  ...["w/l/..", "w/l/../", ".", "w"].map((path) => Buffer.from(path)),
];

const LISTINGS = ["utf8", "latin1", "hex", "ucs2", "base64", "buffer"].flatMap((encoding) =>
  [false, true].map((withFileTypes) => ({ encoding, withFileTypes, recursive: true })),
);

/** Entries of a Dir one after the other, up to the one that fails. */
async function drain(fs: NodeFs, path: Path, options: object): Promise<unknown> {
  return outcome(() => {
    const dir = fs.opendirSync(path, options);
    const entries: unknown[] = [];
    try {
      for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) entries.push(entry);
    } catch (error) {
      entries.push(error);
    } finally {
      dir.closeSync();
    }
    return entries;
  });
}

async function drainAsync(fs: NodeFs, path: Path, options: object): Promise<unknown> {
  return outcome(async () => {
    const entries: unknown[] = [];
    try {
      for await (const entry of await fs.promises.opendir(path, options)) entries.push(entry);
    } catch (error) {
      entries.push(error);
    }
    return entries;
  });
}

function shown(path: Path): string {
  return typeof path === "string" ? `'${path}'` : `Buffer '${path}'`;
}

function listingCases(): Case[] {
  return LISTED.flatMap((path) => [
    ...LISTINGS.map((options) =>
      program(`readdir ${JSON.stringify(options)} of ${shown(path)}`, buildLinks, (fs, { path: absolute }) =>
        settled(fs, "readdir", [typeof path === "string" && path.startsWith("w") ? absolute(path) : path, options]),
      ),
    ),
    ...["utf8", "hex", "buffer"].flatMap((encoding) =>
      [1, 2, 32].map((bufferSize) => {
        const options = { encoding, bufferSize, recursive: true };
        const what = `opendir ${JSON.stringify(options)} of ${shown(path)}`;
        return program(what, buildLinks, async (fs) => [
          await drain(fs, path, options),
          await drainAsync(fs, path, options),
        ]);
      }),
    ),
  ]);
}

const LONG = "n".repeat(250);

/** As many directories as a path can lead down. */
const STEPS = 15;

function chain(top: string, depth: number): string {
  return `${top}${`/${LONG}`.repeat(depth)}`;
}

/** A tree deeper than a path can say: what is deeper is made beside it, and moved down. @param depth directories of 250 bytes */
function buildDeep({ fs, path }: Context, depth: number): void {
  fs.mkdirSync(chain(path("deep"), Math.min(depth, STEPS)), { recursive: true });
  if (depth <= STEPS) return;
  fs.mkdirSync(chain(path("more"), depth - STEPS), { recursive: true });
  fs.renameSync(chain(path("more"), 1), chain(path("deep"), STEPS + 1));
  fs.rmdirSync(path("more"));
}

/** Takes the tree apart again: older Nodes cannot remove it, and no dump shows what lies so deep. @returns whether it was there */
function clearDeep({ fs, path }: Context): boolean {
  const isThere = fs.existsSync(path("deep"));
  if (fs.existsSync(chain(path("deep"), STEPS + 1))) fs.renameSync(chain(path("deep"), STEPS + 1), path("more"));
  for (const name of ["deep", "more"]) fs.rmSync(path(name), { recursive: true, force: true });
  return isThere;
}

function deepCases(): Case[] {
  const calls: Readonly<Record<string, Steps>> = {
    readdir: (fs, { path }) => settled(fs, "readdir", [path("deep"), { recursive: true }], count),
    "readdir with types": (fs, { path }) =>
      settled(fs, "readdir", [path("deep"), { recursive: true, withFileTypes: true }], count),
    opendir: async (fs, { path }) => count(await drain(fs, path("deep"), { recursive: true })),
    rmSync: (fs, { path }) => outcome(() => fs.rmSync(path("deep"), { recursive: true })),
    "rmSync of others": (fs, { path, subject }) => {
      fs.chmodSync(path(""), 0o777);
      own(fs, path("deep"));
      return subject.asWhile(USER, (face) => outcome(() => face.rmSync(path("deep"), { recursive: true })));
    },
  };
  return [10, 15, 20, 25].flatMap((depth) =>
    Object.entries(calls).map(([what, steps]) =>
      program(
        `${what}, ${depth} directories of 250 bytes deep`,
        (context) => buildDeep(context, depth),
        async (fs, context) => [await steps(fs, context), clearDeep(context)],
      ),
    ),
  );
}

function count(value: unknown): unknown {
  return Array.isArray(value) ? value.length : value;
}

/** Gives a chain of directories to the user, as deep as paths go. */
function own(fs: NodeFs, top: string): void {
  for (let path = top; path.length < 4096; path += `/${LONG}`) {
    if (!fs.existsSync(path)) return;
    fs.chownSync(path, USER.uid, USER.gid);
  }
}

// --- Removals ---------------------------------------------------------------------------------------------------------

const RM_OPTIONS = [
  { recursive: true },
  { recursive: true, force: true },
  { recursive: true, maxRetries: 1, retryDelay: 1 },
];

/** Removals that climb out of what they remove. */
const CLIMBING = [
  ...["t/b/..", "t/b/../", "t/b/../../t", "t/b/../a", "t/a/x/../..", "t/a/x/../../c", "t/./b/..", "t/l/..", "t/l/../x"],
  ...["t/l/", "t/l", "t/a/x/.", "t/a/./x", "t/b/../b", "t/missing/..", "t/a/x/y/g/.."],
];

function buildTree({ fs, path }: Context): void {
  for (const name of ["a/x/y", "b", "c", "e"]) fs.mkdirSync(path(`t/${name}`), { recursive: true });
  for (const name of ["a/x/y/g", "c/h", "i", "z"]) fs.writeFileSync(path(`t/${name}`), "");
  fs.symlinkSync("a/x", path("t/l"));
}

function climbingCases(): Case[] {
  return CLIMBING.flatMap((name) =>
    RM_OPTIONS.map((options) =>
      program(`rmSync ${JSON.stringify(options)} of '${name}'`, buildTree, (fs, { path }) =>
        outcome(() => fs.rmSync(path(name), options)),
      ),
    ),
  );
}

type Obstacle = (fs: NodeFs, path: (name: string) => string) => void;

/** Two things or more that cannot be removed: which of them the asynchronous forms fail on first is a race in Node. */
const MANY_OBSTACLES: Readonly<Record<string, Obstacle>> = {
  "no write permission in t": (fs, path) => fs.chmodSync(path("t"), 0o500),
  "no permission for a and c": (fs, path) => {
    fs.chmodSync(path("t/a"), 0);
    fs.chmodSync(path("t/c"), 0);
  },
};

/** What keeps a user from removing all of a tree that is otherwise his: one thing, whichever way it is gone about. */
const OBSTACLES: Readonly<Record<string, Obstacle>> = {
  nothing: () => {},
  "no write permission in a": (fs, path) => fs.chmodSync(path("t/a"), 0o500),
  "no write permission in a/x": (fs, path) => fs.chmodSync(path("t/a/x"), 0o500),
  "no write permission in c": (fs, path) => fs.chmodSync(path("t/c"), 0o500),
  "no search permission in c": (fs, path) => fs.chmodSync(path("t/c"), 0o600),
  "no read permission in c": (fs, path) => fs.chmodSync(path("t/c"), 0o300),
  "no read permission in e, which is empty": (fs, path) => fs.chmodSync(path("t/e"), 0),
  "no permission for t": (fs, path) => fs.chmodSync(path("t"), 0),
  "a directory of root's": (fs, path) => {
    fs.chownSync(path("t/c"), 0, 0);
    fs.chownSync(path("t/c/h"), 0, 0);
  },
  "an empty directory of root's": (fs, path) => fs.chownSync(path("t/e"), 0, 0),
  "sticky, a file of root's": (fs, path) => stick(fs, path, "i"),
  "sticky, an empty directory of root's": (fs, path) => stick(fs, path, "e"),
  "sticky, a directory of root's": (fs, path) => stick(fs, path, "c"),
  "sticky, a link of root's": (fs, path) => stick(fs, path, "l"),
  "sticky below, a directory of root's": (fs, path) => {
    fs.chownSync(path("t/a"), 0, 0);
    fs.chmodSync(path("t/a"), 0o1777);
    fs.lchownSync(path("t/a/x"), 0, 0);
  },
};

function stick(fs: NodeFs, path: (name: string) => string, name: string): void {
  fs.chownSync(path("t"), 0, 0);
  fs.chmodSync(path("t"), 0o1777);
  fs.lchownSync(path(`t/${name}`), 0, 0);
}

function giveAway(fs: NodeFs, top: string): void {
  for (const name of fs.readdirSync(top, { recursive: true }) as string[])
    fs.lchownSync(`${top}/${name}`, USER.uid, USER.gid);
  fs.chownSync(top, USER.uid, USER.gid);
}

/** Directory entries in the tmpfs's own order decide how far a removal has come when it fails. */
const REMOVED = ["t", "t/", "t/a", "t/c", "t/e", "t/i", "t/l", "t/a/x/y/g", "t/b/../c"];

type Removal = (face: NodeFs, path: string, options: object) => unknown;

const REMOVALS: Readonly<Record<string, Removal>> = {
  rmSync: (face, path, options) => face.rmSync(path, options),
  "promises.rm": (face, path, options) => face.promises.rm(path, options),
  rm: (face, path, options) =>
    new Promise((resolve, reject) => face.rm(path, options, (error) => (error ? reject(error) : resolve(null)))),
};

function optionsOf(how: string): readonly object[] {
  if (how === "rmSync") return [{ recursive: true }, { recursive: true, force: true }, {}];
  return how === "rm" ? [{ recursive: true, force: true }, {}] : [{ recursive: true, maxRetries: 1, retryDelay: 1 }];
}

/** Node tells of the first failure while what it has started goes on: waits for that to end. */
async function quiet(): Promise<void> {
  while (process.getActiveResourcesInfo().includes("FSReqCallback")) await new Promise(setImmediate);
}

function obstacleCases(
  obstacles: Readonly<Record<string, Obstacle>>,
  ways: readonly (keyof typeof REMOVALS)[],
): Case[] {
  return Object.entries(obstacles).flatMap(([what, put]) =>
    REMOVED.flatMap((name) =>
      ways.flatMap((how) =>
        optionsOf(how).map((options) =>
          program(
            `${how} ${JSON.stringify(options)} of '${name}', ${what}`,
            (context) => {
              buildTree(context);
              context.fs.chmodSync(context.path(""), 0o777);
              giveAway(context.fs, context.path("t"));
              put(context.fs, context.path);
            },
            (_fs, { path, subject }) =>
              subject.asWhile(USER, async (face) => {
                const given = await outcome(() => REMOVALS[how](face, path(name), options));
                if (how !== "rmSync") await quiet();
                return given;
              }),
          ),
        ),
      ),
    ),
  );
}

export const RECURSION_CASES: readonly Case[] = [
  ...listingCases(),
  ...deepCases(),
  ...climbingCases(),
  ...obstacleCases(OBSTACLES, ["rmSync", "rm", "promises.rm"]),
  ...obstacleCases(MANY_OBSTACLES, ["rmSync"]),
];
