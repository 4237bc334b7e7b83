/**
 * Cases of cp and glob, and how one is run on a face of node:fs: what it is called with, what it starts from, what can be
 * seen afterwards. Runs on the oracle's Node by itself (oracle-process.ts), so it imports nothing of the project.
 */
import type * as NodeFs from "node:fs";
import { dirname, resolve } from "node:path";

type Fs = typeof NodeFs;

/** `["d", path, mode]`, `["f", path, text, mode]`, `["l", path, target]`, `["p", path]` (a fifo), `["s", path]` (a socket). */
export type Entry = readonly [kind: string, path: string, text?: string | number, mode?: number];

export type Form = "sync" | "callback" | "promise";

/** One call. Paths begin with `R` where they are to be absolute: it stands for the root of the case. */
export interface TreeCase {
  readonly tree: readonly Entry[];
  readonly call: "cp" | "glob";
  readonly form: Form;
  readonly args: readonly unknown[];
  readonly options?: { readonly [name: string]: unknown };
  /** Name of a filter or an exclude function, from FUNCTIONS. */
  readonly filter?: string;
}

/** What a call has come to. */
export interface Outcome {
  /** The result, with what order does not matter in put in order. */
  readonly value?: unknown;
  readonly error?: { readonly [name: string]: unknown };
  /** All entries afterwards. */
  readonly tree: readonly string[];
  /** Nothing has changed. */
  readonly isAsBefore: boolean;
  /** Calls of the filter. */
  readonly asked: readonly string[];
}

/** A face, with what it takes to make scenes on it. */
export interface Stage {
  readonly fs: Fs;
  readonly root: string;
  chdir(path: string): void;
  /** Removes whatever there is, however deep. */
  clear(path: string): void;
  mkfifo(path: string): void;
  /** A socket that nobody listens on, as a server leaves it that was killed. */
  mksocket(path: string): void;
}

type Asked = (...args: unknown[]) => unknown;

const endsIn = (path: unknown, name: string): boolean => String(path).split("/").pop() === name;

/** Filters by name. Those of cp get paths, those of glob a name or an entry. */
const FUNCTIONS: { readonly [name: string]: Asked } = {
  all: () => true,
  none: () => false,
  "not b": (path) => !endsIn(path, "b"),
  "one for yes": (path) => (endsIn(path, "b") ? 0 : 1),
  "throws at b": (path) => {
    if (endsIn(path, "b")) throw new Error(`b: ${path}`);
    return true;
  },
  "promises not b": async (path) => !endsIn(path, "b"),
  "rejects at b": async (path) => {
    if (endsIn(path, "b")) throw new Error(`b: ${path}`);
    return true;
  },
  "is b": (entry) => entry === "b" || (entry as { name?: string }).name === "b",
};

/** Where a tree goes on without end it is not looked at any further. */
const MOST_PATH = 500;
const OLD_S = 1_000_000_000.5;

export function build({ fs, root, chdir, clear, mkfifo, mksocket }: Stage, tree: readonly Entry[]): void {
  chdir("/");
  // With what links above the root have led to.
  clear(dirname(root));
  fs.mkdirSync(root, { recursive: true });
  chdir(root);
  const modes: [string, number][] = [];
  for (const [kind, path, text, mode] of tree) {
    const full = `${root}/${path}`;
    if (kind === "d") {
      fs.mkdirSync(full);
      modes.push([full, Number(text ?? 0o755)]);
    } else if (kind === "f") {
      fs.writeFileSync(full, String(text));
      modes.push([full, mode ?? 0o644]);
    } else if (kind === "l") fs.symlinkSync(String(text).replace(/^R/, root), full);
    else if (kind === "p") mkfifo(full);
    else mksocket(full);
  }
  for (const [path, mode] of modes.reverse()) {
    fs.chmodSync(path, mode);
    fs.utimesSync(path, OLD_S, OLD_S);
  }
}

function contents(fs: Fs, path: string, mode: number): string {
  if ((mode & 0o170000) === 0o120000) return `-> ${fs.readlinkSync(path)}`;
  return (mode & 0o170000) === 0o100000 ? JSON.stringify(fs.readFileSync(path, "utf8")) : "";
}

/** Entries with type, mode, data, target; times as old or new. */
export function treeOf({ fs, root }: Stage, below = ""): string[] {
  if (root.length + below.length > MOST_PATH) return [`${below} and so on`];
  return fs.readdirSync(root + below).flatMap((name) => {
    const path = `${below}/${name}`;
    const { mode, mtimeMs } = fs.lstatSync(root + path);
    const isLink = (mode & 0o170000) === 0o120000;
    const time = isLink || mtimeMs > OLD_S * 1000 + 1 ? "" : ` ${mtimeMs}`;
    const line = `${path} ${mode.toString(8)}${time} ${contents(fs, root + path, mode)}`.replaceAll(root, "R");
    return (mode & 0o170000) === 0o040000 ? [line, ...treeOf({ fs, root } as Stage, path)] : [line];
  });
}

function showError(error: unknown): { [name: string]: unknown } {
  if (!(error instanceof Error)) return { thrown: String(error) };
  const own = Object.fromEntries(Object.keys(error).map((key) => [key, (error as never)[key]]));
  return { ...own, name: error.name, message: error.message, text: String(error) };
}

function showValue(value: unknown, root: string): unknown {
  if (!Array.isArray(value)) return value;
  const shown = value.map((match) =>
    // Node's forms differ in whether they show it from the root.
    typeof match === "string"
      ? match
      : `${resolve(root, match.parentPath)} | ${match.name} ${match.isDirectory()} ${match.isFile()}`,
  );
  return shown.map((match) => match.replaceAll(root, "R")).sort();
}

async function invoke({ fs }: Stage, { call, form }: TreeCase, args: readonly unknown[]): Promise<unknown> {
  const functions = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  if (form === "sync") return functions[`${call}Sync`](...args);
  if (form === "callback") {
    return new Promise((resolve, reject) => {
      functions[call](...args, (error: unknown, value: unknown) => (error ? reject(error) : resolve(value)));
    });
  }
  if (call === "cp") return fs.promises.cp(...(args as [string, string]));
  const matches = [];
  for await (const match of fs.promises.glob(...(args as [string]))) matches.push(match);
  return matches;
}

/** Builds the tree, makes the call, and tells what has come of it. */
export async function runCase(stage: Stage, test: TreeCase): Promise<Outcome> {
  build(stage, test.tree);
  const before = treeOf(stage);
  const { root } = stage;
  const placed = (value: unknown): unknown =>
    typeof value === "string" ? value.replace(/^R(?=\/|$)/, root) : Array.isArray(value) ? value.map(placed) : value;
  const asked: string[] = [];
  const options: Record<string, unknown> = { ...test.options };
  for (const [name, value] of Object.entries(options)) options[name] = placed(value);
  if (test.filter !== undefined) {
    options[test.call === "cp" ? "filter" : "exclude"] = (...args: unknown[]) => {
      if (test.call === "cp") asked.push(args.join(" > ").replaceAll(root, "R"));
      return FUNCTIONS[test.filter as string](...args);
    };
  }
  const hasOptions = test.options !== undefined || test.filter !== undefined;
  const args = [...test.args.map(placed), ...(hasOptions ? [options] : [])];
  const outcome: { value?: unknown; error?: { [name: string]: unknown } } = {};
  try {
    outcome.value = showValue(await invoke(stage, test, args), root);
  } catch (error) {
    outcome.error = JSON.parse(JSON.stringify(showError(error)).replaceAll(root, "R"));
  }
  const tree = treeOf(stage);
  return { ...outcome, tree, isAsBefore: tree.join("\n") === before.join("\n"), asked };
}
