/** What a tree holds, as a plain listing, and such a listing changed by what kernel.diff() tells: the other tree must come of it. */
import { strict as assert } from "node:assert";
import type { FolioFs } from "../../src/index.ts";
import type { TreeChange } from "../../src/layers.ts";

const PAGE = 4096;
const S_IFMT = 0o170000;

/** One file; `data` of regular files, `target` of links, else undefined. */
export interface ListedFile {
  type: number;
  mode: number;
  owner: string;
  times: string;
  xattr: string;
  rdev: number;
  data: Buffer | undefined;
  target: string | undefined;
}

export type Listing = Map<string, ListedFile>;

/** All that is in a directory, itself as ".". Paths are bytes as Latin-1 text. */
export function listTree(fs: FolioFs, root: string): Listing {
  const listing: Listing = new Map();
  const visit = (path: Buffer, key: string): void => {
    const { mode, uid, gid, rdev, mtimeNs } = fs.lstatSync(path, { bigint: true });
    const type = Number(mode) & S_IFMT;
    const names = fs.kernel.linux.llistxattrSync(path) as string[];
    const values = names.map((name) => [name, Buffer.from(fs.kernel.linux.lgetxattrSync(path, name)).toString("hex")]);
    listing.set(key === "" ? "." : key, {
      type,
      mode: Number(mode) & ~S_IFMT,
      owner: `${uid}:${gid}`,
      times: String(mtimeNs),
      xattr: JSON.stringify(values.sort()),
      rdev: type === 0o060000 || type === 0o020000 ? Number(rdev) : 0,
      data: type === 0o100000 ? (fs.readFileSync(path) as Buffer) : undefined,
      target: type === 0o120000 ? (fs.readlinkSync(path, "latin1") as string) : undefined,
    });
    if (type !== 0o040000) return;
    for (const name of fs.readdirSync(path, { encoding: "buffer" }) as Buffer[])
      visit(Buffer.concat([path, Buffer.from("/"), name]), (key === "" ? "" : `${key}/`) + name.toString("latin1"));
  };
  visit(Buffer.from(root), "");
  return listing;
}

function latin1({ path, from, ...rest }: TreeChange<Uint8Array>): TreeChange {
  const shown = { ...rest, path: Buffer.from(path).toString("latin1") };
  return from === undefined ? shown : { ...shown, from: Buffer.from(from).toString("latin1") };
}

function depth(path: string): number {
  return path.split("/").length;
}

/**
 * Changes a listing as told, with what is told taken from `to`.
 *
 * @throws AssertionError for changes that are not sorted, are none, or do not fit the tree
 */
export function applyChanges(given: readonly TreeChange<Uint8Array>[], from: Listing, to: Listing): Listing {
  const changes = given.map(latin1);
  const keys = changes.map(({ path }) => (path === "." ? "" : path.replaceAll("/", "\0")));
  assert.deepEqual(
    keys,
    [...keys].sort((x, y) => (x < y ? -1 : x > y ? 1 : 0)),
    "sorted, parents first",
  );
  const tree: Listing = new Map(from);
  for (const { kind, path } of changes) if (kind === "removed") assert(tree.delete(path), `removed ${path}`);
  const moved = takeRenamed(changes, tree);
  for (const change of changes) {
    const { kind, path } = change;
    if (kind === "renamed") for (const [key, file] of moved.get(path) as Listing) put(tree, path + key, file);
    if (kind === "added") put(tree, path, to.get(path) as ListedFile);
    if (kind === "modified" || kind === "renamed") modify(change, tree, to);
    if (kind !== "removed") assert.equal(change.mode, (tree.get(path)?.mode ?? 0) | (tree.get(path)?.type ?? 0));
  }
  return tree;
}

function put(tree: Listing, path: string, file: ListedFile): void {
  assert(file !== undefined, `${path} is there`);
  assert(!tree.has(path), `${path} is new`);
  tree.set(path, file);
}

/** Takes what has been renamed out of a tree, the innermost first: by new path, paths below. */
function takeRenamed(changes: readonly TreeChange[], tree: Listing): Map<string, Listing> {
  const renamed = changes.filter(({ kind }) => kind === "renamed");
  const moved = new Map<string, Listing>();
  for (const { path, from = "" } of renamed.sort((x, y) => depth(y.from ?? "") - depth(x.from ?? ""))) {
    const files: Listing = new Map();
    for (const [key, file] of tree) {
      if (key !== from && !key.startsWith(`${from}/`)) continue;
      files.set(key.slice(from.length), file);
      tree.delete(key);
    }
    assert(files.has(""), `${from} was there`);
    moved.set(path, files);
  }
  return moved;
}

function modify(change: TreeChange, tree: Listing, to: Listing): void {
  const { path, changed } = change;
  const old = tree.get(path) as ListedFile;
  const now = to.get(path) as ListedFile;
  assert(old !== undefined && now !== undefined, `${path} is on both sides`);
  assert(change.kind === "renamed" || changed.length > 0, `${path} has changed`);
  let file = { ...old };
  for (const field of changed) {
    assert.notDeepEqual(old[field], now[field], `${path}: ${field} has changed`);
    if (field === "type") file = { ...file, type: now.type, data: now.data, target: now.target, rdev: now.rdev };
    else if (field === "data") file.data = patched(change, old.data as Buffer, now.data as Buffer);
    else file = { ...file, [field]: now[field] };
  }
  tree.set(path, file);
}

/** The old data with changed pages of the new. */
function patched({ path, oldSize, size = 0, ranges = [] }: TreeChange, old: Buffer, now: Buffer): Buffer {
  assert.deepEqual([oldSize, size], [old.length, now.length], path);
  const data = Buffer.alloc(size);
  old.copy(data);
  let last = -1;
  for (const { start, end } of ranges) {
    assert(start > last && end > start && end <= size && start % PAGE === 0, `${path}: ${start} to ${end}`);
    for (let at = start; at < end; at += PAGE)
      assert(
        !data.subarray(at, at + PAGE).equals(now.subarray(at, Math.min(at + PAGE, size))),
        `${path}: page at ${at}`,
      );
    now.copy(data, start, start, end);
    last = end;
  }
  return data;
}
