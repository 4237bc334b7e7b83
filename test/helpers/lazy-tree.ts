/** A tree for lazyfs out of a plain object, that tests may change at will, with all questions logged. */
import { createFsSync, type FolioFs, type FsOptions } from "../../src/index.ts";
import {
  type LazyEntry,
  type LazyMountHandle,
  type LazyMountOptions,
  type LazyTree,
  mountLazy,
} from "../../src/lazy.ts";

/** A string or bytes = a file; an object = a directory. */
export type Plain = { [name: string]: string | Uint8Array | Plain };

export interface TreeOptions {
  /** Sizes are not told. */
  readonly sizeless?: boolean;
  /** Answers come by promise. */
  readonly later?: boolean;
  /** Instead of load(). */
  readonly whole?: boolean;
}

function at(root: Plain, path: string): Plain[string] | undefined {
  let node: Plain[string] | undefined = root;
  for (const name of path.split("/").filter((part) => part !== "")) {
    node =
      typeof node === "object" && !(node instanceof Uint8Array) && Object.hasOwn(node, name) ? node[name] : undefined;
  }
  return node;
}

export function bytesAt(root: Plain, path: string): Buffer {
  const node = at(root, path);
  if (typeof node === "string" || node instanceof Uint8Array) return Buffer.from(node as string);
  throw Object.assign(new Error(`no file: ${path}`), { code: "ENOENT" });
}

function entryOf(name: string, node: Plain[string], { sizeless = false }: TreeOptions): LazyEntry {
  if (typeof node === "object" && !(node instanceof Uint8Array)) return { name, type: "directory" };
  return { name, type: "file", size: sizeless ? undefined : Buffer.from(node as string).length };
}

/** @param log gets a line for each question */
export function plainTree(root: Plain, options: TreeOptions = {}, log: string[] = []): LazyTree {
  const answer = <T>(value: () => T): T | Promise<T> =>
    options.later ? new Promise((resolve) => setImmediate(resolve)).then(value) : value();
  const list = (path: string) => {
    log.push(`list ${path}`);
    return answer(() => {
      const node = at(root, path);
      if (typeof node !== "object") throw Object.assign(new Error(), { code: "ENOENT" });
      return Object.entries(node as Plain).map(([name, child]) => entryOf(name, child, options));
    });
  };
  if (options.whole) {
    const loadFile = (path: string) => {
      log.push(`load ${path}`);
      return answer(() => bytesAt(root, path));
    };
    return { list, loadFile };
  }
  return {
    list,
    load: (path, { position, length }) => {
      log.push(`load ${path} ${position}+${length}`);
      return answer(() => bytesAt(root, path).subarray(position, position + length));
    },
  };
}

/** A new kernel with a tree at /m. */
export function withTree<Entry extends LazyEntry>(
  tree: LazyTree<Entry>,
  options: Partial<LazyMountOptions> = {},
  fsOptions: FsOptions = {},
): { fs: FolioFs; mount: LazyMountHandle } {
  const fs = createFsSync({ memoryLimit: 32 * 2 ** 20, ...fsOptions });
  fs.mkdirSync("/m");
  return { fs, mount: mountLazy(fs.kernel, tree, { target: "/m", ...options }) };
}

/** What somebody else settles. */
export function deferred<T>(): { promise: Promise<T>; resolve(value: T): void; reject(error: unknown): void } {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** Lets all promises go on that can. */
export async function turns(nr = 5): Promise<void> {
  for (let i = 0; i < nr; i++) await new Promise((resolve) => setImmediate(resolve));
}
