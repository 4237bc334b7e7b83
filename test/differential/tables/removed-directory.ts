/** Relative paths in a working directory that has been removed, and what needs to know its path. */
import type { Case, Context } from "../case.ts";
import { NAME_255 } from "../tree.ts";
import { type Steps, settled } from "./steps.ts";

const TOO_LONG = `${NAME_255}x`;

/** Paths that end in the removed directory, that leave it, and that have nothing to do with it. */
const PATHS: readonly (string | Buffer)[] = [
  ...["a", "a/b", "./a", "./a/b", "a/", "./a/..", ".", "./", "..", "../x", "../x/y", "../kept", ""],
  ...[TOO_LONG, `./${TOO_LONG}`, `${TOO_LONG}/x`, `../${TOO_LONG}`, `x/${TOO_LONG}`, `${TOO_LONG}/`],
  ...["./".repeat(2100), `${"./".repeat(2100)}a`, Buffer.from("a"), Buffer.from(TOO_LONG)],
];

type Call = readonly [fn: string, ...rest: unknown[]];

const ASKING: readonly Call[] = [
  ["stat", { throwIfNoEntry: false }],
  ["lstat"],
  ["access"],
  ["exists"],
  ["readlink"],
  ["realpath"],
  ["realpath", "buffer"],
  ["realpath.native"],
  ["statfs"],
  ["readFile"],
  ["readFile", "utf8"],
  ["readdir"],
  ["readdir", { withFileTypes: true }],
  ["readdir", { recursive: true }],
  ["opendir"],
];

const CHANGING: readonly Call[] = [
  ["open", "wx"],
  ["open", 0o20200002],
  ["writeFile", "x"],
  ["writeFile", Buffer.from("x")],
  ["appendFile", "x"],
  ["truncate", 1],
  ["mkdir"],
  ["mkdir", { recursive: true }],
  ["mkdtemp"],
  ["mkdtempDisposable"],
  ["rmdir"],
  ["unlink"],
  ["rm"],
  ["rm", { force: true }],
  ["rm", { recursive: true }],
  ["rm", { recursive: true, force: true }],
  ["chmod", 0o750],
  ["lchown", 1, 1],
  ["utimes", 1, 1],
  ["lutimes", 1, 1],
];

/** A directory above it is no test's to change, and one that is open shows nothing more. */
function isTried(call: Call, path: string | Buffer): boolean {
  return !(CHANGING.includes(call) && path === "..");
}

function closed(value: unknown): unknown {
  if (value?.constructor?.name !== "Dir" && value?.constructor?.name !== "FileHandle") return value;
  void (value as { close(): Promise<void> }).close();
  return value.constructor.name;
}

/** Random names are masked by what they begin with. */
function givenPath(fn: string, path: string | Buffer): string | Buffer {
  if (!fn.startsWith("mkdtemp")) return path;
  return typeof path === "string" ? `${path}tmp-` : Buffer.concat([path, Buffer.from("tmp-")]);
}

function oneCall(call: Call, path: string | Buffer): Steps {
  const [fn, ...rest] = call;
  return (face) =>
    settled(face, fn, [givenPath(fn, path), ...rest], (value) => {
      if (fn !== "open" || typeof value !== "number") return closed(value);
      face.closeSync(value);
      return "a descriptor";
    });
}

function twoPaths(fn: string, path: string | Buffer): Steps {
  return async (face, { path: absolute }) => [
    await settled(face, fn, [path, absolute("kept/new")]),
    await settled(face, fn, [absolute("kept/file"), path]),
    await settled(face, fn, [path, "b"]),
  ];
}

/** Runs `steps` in a directory, from its removal on. */
function inRemoved(steps: Steps): (context: Context) => Promise<unknown> {
  return (context) => {
    const { fs, path, subject } = context;
    fs.mkdirSync(path("kept"));
    fs.writeFileSync(path("kept/file"), "");
    fs.mkdirSync(path("gone"));
    return subject.within(path("gone"), async (face) => {
      fs.rmdirSync(path("gone"));
      return steps(face, context);
    });
  };
}

function shown(path: string | Buffer): string {
  const text = path.toString().replaceAll("n".repeat(255), "n…").replace("./".repeat(2100), "./…");
  return typeof path === "string" ? `'${text}'` : `Buffer '${text}'`;
}

function program(what: string, steps: Steps): Case {
  const id = `program: in a removed directory, ${what}`;
  return { id, fn: "program", form: "promise", covers: [], tree: "empty", args: () => [], program: inRemoved(steps) };
}

const ONE_PATH = [...ASKING, ...CHANGING].flatMap((call) =>
  PATHS.filter((path) => isTried(call, path)).map((path) =>
    program(`${call[0]} ${JSON.stringify(call.slice(1))} of ${shown(path)}`, oneCall(call, path)),
  ),
);

const TWO_PATHS = ["rename", "link", "symlink", "copyFile"].flatMap((fn) =>
  PATHS.map((path) => program(`${fn} of ${shown(path)}`, twoPaths(fn, path))),
);

export const REMOVED_DIRECTORY_CASES: readonly Case[] = [...ONE_PATH, ...TWO_PATHS];
