/**
 * Names of a tree: listings as long as they can be kept, and single entries.
 *
 * A directory that is longer than the limit is listed anew by each who lists it, and searched up to the name by each who looks
 * for one, unless the tree has a lookup().
 *
 * Does not own: open directories (lazy-cursor.ts), what is kept (listings.ts), what is made of an entry (lazy-inode.ts).
 */
import { ENOENT } from "../../base/errno.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { askTree, isPromiseLike } from "./lazy-ask.ts";
import { checkEntry, type Entry, ROOT_ENTRY } from "./lazy-entry.ts";
import { BadAnswer } from "./lazy-errno.ts";
import { childPath, type LazyMount, shownPath } from "./lazy-mount.ts";
import type { LazyCall, LazyEntry, LazyListing } from "./lazy-tree.ts";
import type { Listing } from "./listings.ts";

/** A directory that is longer than the limit. */
export const LONG: unique symbol = Symbol("long");

/** What questions are answered with, which are objects or errnos. */
const IS_LONG = {};

/** How to go through a listing. @throws BadAnswer */
export function iteratorOf(listing: LazyListing): Iterator<LazyEntry> | AsyncIterator<LazyEntry> {
  const { [Symbol.asyncIterator]: later, [Symbol.iterator]: now } = Object(listing);
  if (typeof later === "function") return later.call(listing);
  if (typeof now === "function" && typeof listing !== "string") return now.call(listing);
  throw new BadAnswer("a listing is nothing that can be iterated");
}

/** One step of a listing, that may take time. */
type Step = IteratorResult<LazyEntry> | PromiseLike<IteratorResult<LazyEntry>>;

/**
 * Gives the entries of a listing to `visit` until that answers false, and ends it then.
 *
 * @throws BadAnswer, at once or by the promise; what the tree throws
 */
function visitAll(listing: LazyListing, call: LazyCall, visit: (entry: Entry) => boolean): void | Promise<void> {
  const iterator = iteratorOf(listing);
  let isOver = false;
  const take = (step: IteratorResult<LazyEntry>): boolean => {
    isOver = step.done === true;
    return !isOver && visit(checkEntry(step.value));
  };
  const end = (): void => {
    if (!isOver) ended(iterator);
  };
  const later = async (first: Step): Promise<void> => {
    try {
      let step = await first;
      while (take(step)) {
        if (call.signal.aborted) throw new BadAnswer("nobody wants the listing any more");
        step = await iterator.next();
      }
    } finally {
      end();
    }
  };
  for (;;) {
    const step: Step = iterator.next();
    if (isPromiseLike(step)) return later(step);
    let goesOn = false;
    try {
      goesOn = take(step);
    } finally {
      if (!goesOn) end();
    }
    if (!goesOn) return undefined;
  }
}

/** Nobody wants the rest of a listing. */
export function ended(iterator: Iterator<LazyEntry> | AsyncIterator<LazyEntry>): void {
  try {
    const over = iterator.return?.() as unknown;
    if (isPromiseLike(over)) over.then(undefined, () => {});
  } catch {
    // there is nobody to be told
  }
}

/** Adds an entry. @throws BadAnswer for a name that is there already */
function add(entries: Map<string, Entry>, entry: Entry): void {
  if (entries.has(entry.name)) throw new BadAnswer(`${entry.name} is listed twice`);
  entries.set(entry.name, entry);
}

/** Gathers a listing. @returns IS_LONG when there are more than `max` */
function gather(listing: LazyListing, call: LazyCall, max: number): object | Promise<object> {
  const entries = new Map<string, Entry>();
  const rest = visitAll(listing, call, (entry) => {
    add(entries, entry);
    return entries.size <= max;
  });
  const result = (): object => (entries.size > max ? IS_LONG : entries);
  return rest === undefined ? result() : rest.then(result);
}

/** All of a directory, if it is short enough to be kept. @returns LONG where it is not; as askTree() */
export function listingOf(
  kernel: Kernel,
  mount: LazyMount,
  path: string,
  { given }: Entry,
): Listing | typeof LONG | number {
  const { listings, tree, epoch } = mount;
  const kept = listings.get(path);
  if (kept !== undefined) return kept;
  if (listings.isLong(path)) return LONG;
  const keep = (answer: object): object => {
    if (mount.epoch !== epoch) return answer;
    if (answer === IS_LONG) listings.noteLong(path);
    else listings.keep(path, answer as Listing);
    return answer;
  };
  const answer = askTree(
    kernel,
    mount,
    `list ${path}`,
    shownPath(path),
    (call) => withCall(call, tree.list(shownPath(path), given, call)),
    ({ call, value }) => after(gather(value, call, listings.maxEntries), keep),
  );
  if (typeof answer === "number") return answer;
  return answer === IS_LONG ? LONG : (answer as Listing);
}

/** All of a directory, however long it is. @returns as askTree() */
export function wholeListing(kernel: Kernel, mount: LazyMount, path: string, entry: Entry): Listing | number {
  const short = listingOf(kernel, mount, path, entry);
  if (short !== LONG) return short;
  return askTree(
    kernel,
    mount,
    `all ${path}`,
    shownPath(path),
    (call) => withCall(call, mount.tree.list(shownPath(path), entry.given, call)),
    ({ call, value }) => gather(value, call, Number.POSITIVE_INFINITY),
  ) as Listing | number;
}

/** An answer together with the call that it was given to. */
interface Said<T> {
  readonly call: LazyCall;
  readonly value: T;
}

function withCall<T>(call: LazyCall, value: T | PromiseLike<T>): Said<T> | PromiseLike<Said<T>> {
  return isPromiseLike(value) ? Promise.resolve(value).then((later) => ({ call, value: later })) : { call, value };
}

function after<T, R>(value: T | Promise<T>, then: (value: T) => R): R | Promise<R> {
  return value instanceof Promise ? value.then(then) : then(value);
}

/** One entry of a directory. @param path of the directory @returns -ENOENT when there is none; as askTree() */
export function findEntry(
  kernel: Kernel,
  mount: LazyMount,
  path: string,
  directory: Entry,
  name: string,
): Entry | number {
  const { listings, tree } = mount;
  const kept = listings.get(path);
  if (kept === undefined && tree.lookup !== undefined) return lookUp(kernel, mount, path, directory, name);
  const listing = kept ?? listingOf(kernel, mount, path, directory);
  if (typeof listing === "number") return listing;
  return listing === LONG ? search(kernel, mount, path, directory, name) : (listing.get(name) ?? -ENOENT);
}

function lookUp(kernel: Kernel, mount: LazyMount, path: string, { given }: Entry, name: string): Entry | number {
  const child = childPath(path, { name });
  return askTree(
    kernel,
    mount,
    `lookup ${child}`,
    child,
    (call) => mount.tree.lookup?.(child, given, call),
    (said): Entry | number => {
      if (said === undefined || said === null) return -ENOENT;
      const entry = checkEntry(said);
      if (entry.name !== name) throw new BadAnswer(`${entry.name} is not ${name}`);
      return entry;
    },
  );
}

/** Looks for a name in a directory that is too long to be kept. */
function search(kernel: Kernel, mount: LazyMount, path: string, { given }: Entry, name: string): Entry | number {
  return askTree(
    kernel,
    mount,
    `search ${childPath(path, { name })}`,
    shownPath(path),
    (call) => withCall(call, mount.tree.list(shownPath(path), given, call)),
    ({ call, value }): Entry | number | Promise<Entry | number> => {
      let found: Entry | number = -ENOENT;
      const rest = visitAll(value, call, (entry) => {
        if (entry.name === name) found = entry;
        return entry.name !== name;
      });
      return rest === undefined ? found : rest.then(() => found);
    },
  );
}

/** What a path leads to, asked from the root on. @returns as findEntry(); -EIO where a directory was expected */
export function resolve(kernel: Kernel, mount: LazyMount, path: string): Entry | number {
  let directory = ROOT_ENTRY;
  let at = "";
  for (const name of path.split("/").slice(1)) {
    const entry = findEntry(kernel, mount, at, directory, name);
    if (typeof entry === "number") return entry;
    directory = entry;
    at = childPath(at, entry);
  }
  return directory;
}
