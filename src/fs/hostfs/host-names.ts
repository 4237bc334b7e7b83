/**
 * Names of a host folder: looked up, believed for ttl, made, moved and taken away.
 *
 * Does not own: what may be done to which name (vfs/dir-ops.ts), what is asked of the host (host-store.ts), listings
 * (host-dir.ts).
 */
import type { BigIntStats } from "node:fs";
import { ENOENT, EOPNOTSUPP, ESTALE } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import { S_IFDIR, S_IFREG } from "../../base/stat-flags.ts";
import type { Answer, InodeOperations } from "../../vfs/fs-type.ts";
import { Dentry, Inode } from "../../vfs/inode.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import {
  STAT_ATIME_NSEC,
  STAT_ATIME_SEC,
  STAT_CTIME_NSEC,
  STAT_CTIME_SEC,
  STAT_MTIME_NSEC,
  STAT_MTIME_SEC,
} from "../../vfs/syscalls.ts";
import { PATH_A } from "../../wasm/core.ts";
import { DENTRY_ALIAS_NEXT, DENTRY_COUNT, INODE_ALIASES } from "../../wasm/layout.ts";
import { ask, change } from "./host-ask.ts";
import {
  DIRECTORY,
  expire,
  type HostInode,
  type HostMount,
  hostWasRead,
  instantiate,
  isFreshInWalk,
  isRemoved,
  isStale,
  mountOf,
  moveNode,
  stateIn,
  stateOf,
  take,
} from "./host-mount.ts";
import { newAttributes } from "./host-owner.ts";
import { type HostNode, isNode } from "./host-root.ts";
import type { Steps } from "./host-steps.ts";
import type { Found, HostStore, NewAttributes } from "./host-store.ts";
import { moment } from "./moment.ts";
import type { HostNative } from "./native.ts";

function nameOf(kernel: Kernel, dentry: DentryHandle): Uint8Array {
  return new Dentry(kernel, dentry).name;
}

function expireAll(kernel: Kernel, ...inodes: InodeHandle[]): number {
  for (const inode of inodes) expire(stateOf(kernel, inode));
  return 0;
}

/** Asks what a name leads to. */
function find(kernel: Kernel, dir: InodeHandle, name: Uint8Array): Found | number {
  const { store } = mountOf(kernel, dir);
  const state = stateOf(kernel, dir);
  const key = (): string => `lookup ${state.serial} ${Buffer.from(name).toString("latin1")}`;
  return ask(kernel, key, state, () => store.lookup(state.node, name));
}

function lookup(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number {
  if (isRemoved(kernel, dir)) return 0; // nothing is in it
  const found = find(kernel, dir, nameOf(kernel, dentry));
  if (typeof found === "number") return found === -ENOENT ? 0 : found === -ESTALE ? -ENOENT : found;
  if (!isStale(kernel, mountOf(kernel, dir), found)) return instantiate(kernel, kernel.sbOf(dir), dentry, found);
  stateOf(kernel, dir).changedAt = moment(); // asked anew
  const known = mountOf(kernel, dir).handles.get(found.node.key);
  return known === undefined ? lookup(kernel, dir, dentry) : kernel.waitForEnd(known);
}

/** Is a name to be believed still? */
export function isTrue(kernel: Kernel, handle: DentryHandle): boolean {
  const { inode } = new Dentry(kernel, handle);
  if (inode === 0) return false;
  const mount = mountOf(kernel, inode);
  const state = stateIn(mount, inode);
  return !state.isNameLost && isFreshInWalk(kernel, mount, inode, state);
}

/**
 * Fast path: same result. Asks for what the name leads to by its whole path, which costs half of a step from its directory. Links
 * on the way are followed, so the answer is believed only where it is about the very inode that is known.
 */
function isSeen(kernel: Kernel, mount: HostMount, dir: InodeHandle, dentry: Dentry, state: HostInode): boolean {
  const { node } = state;
  if (kernel.mayWait || state.isNameLost || node.parent !== stateOf(kernel, dir).node) return false;
  if (Buffer.compare(node.name, dentry.name) !== 0) return false;
  const stats = mount.store.glance(node);
  if (stats === undefined) return false;
  take(kernel, mount, dentry.inode, state, stats);
  kernel.walked.inode = dentry.inode;
  return true;
}

/** A name is true for ttl, and after it if it still leads to the same inode; a missing one is asked for each time. */
export function revalidate(kernel: Kernel, handle: DentryHandle): number {
  const dentry = new Dentry(kernel, handle);
  const { inode } = dentry;
  if (inode === 0) return 0;
  const mount = mountOf(kernel, inode);
  const state = stateIn(mount, inode);
  if (isTrue(kernel, handle)) return 1;
  const dir = new Dentry(kernel, dentry.parent).inode;
  if (isSeen(kernel, mount, dir, dentry, state)) return 1;
  const found = find(kernel, dir, dentry.name);
  if (typeof found === "number") return found === -ENOENT || found === -ESTALE ? 0 : found;
  if (!isNode(state.node, found.stats)) return 0;
  moveNode(mount, state, stateOf(kernel, dir).node, found.node.name);
  if (state.changedAt < found.askedAt) {
    take(kernel, mount, inode, state, found.stats);
    kernel.walked.inode = inode;
  }
  return 1;
}

/** Makes something in a directory, and its name here. */
function make(
  kernel: Kernel,
  dir: InodeHandle,
  dentry: DentryHandle,
  mode: number,
  onHost: (store: HostStore, parent: HostNode, name: Uint8Array, attributes: NewAttributes) => Steps<Found | number>,
): Answer {
  const { store, options } = mountOf(kernel, dir);
  const { node } = stateOf(kernel, dir);
  const name = nameOf(kernel, dentry);
  const attributes = newAttributes(kernel, options, dir, mode);
  return change<Found>(
    kernel,
    () => onHost(store, node, name, attributes),
    (found) => {
      const rc = instantiate(kernel, kernel.sbOf(dir), dentry, found);
      if (rc < 0) return rc; // what the host has is found again by the next lookup
      kernel.core.x.dAdd(dentry);
      return expireAll(kernel, dir);
    },
  );
}

function symlink(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, length: number): Answer {
  const target = kernel.core.u8.slice(PATH_A, PATH_A + length);
  return make(kernel, dir, dentry, 0o777, (store, parent, name, attributes) =>
    store.symlink(parent, name, target, attributes),
  );
}

/** How many hold an inode. @param name of it, which a change has in hand */
function nrHolders(kernel: Kernel, name: DentryHandle): number {
  const { u32 } = kernel.core;
  const { inode } = new Dentry(kernel, name);
  let nr = kernel.mayWait ? -1 : 0; // the change's own
  let alias = u32[(inode << 3) + INODE_ALIASES] >>> 5;
  for (; alias !== 0; alias = u32[(alias << 3) + DENTRY_ALIAS_NEXT] >>> 5) nr += u32[(alias << 3) + DENTRY_COUNT];
  return nr;
}

/** The host can be asked for a removed directory no more: who holds it sees it as it is now. @returns undefined = nobody will look */
function* lastSeen(store: HostStore, { node }: HostInode, isHeld: boolean): Steps<BigIntStats | undefined> {
  const stats = isHeld && node.type === S_IFDIR ? yield* store.stat(node) : undefined;
  return typeof stats === "object" ? stats : undefined;
}

/**
 * What is about to lose a name, which may be the one it is found by, stays within reach of who holds it: a file that is open keeps
 * its descriptor, what is held by O_PATH alone gets one for its place.
 *
 * @param isHeld by somebody who has it not open
 */
function* holdIfInUse(store: HostStore, state: HostInode, isHeld: boolean): Steps<number> {
  const place = isHeld && state.node.type !== S_IFDIR ? yield* store.holdPlace(state.node) : 0;
  if (place < 0 && place !== -ESTALE) return place; // somebody else has moved it: nobody reaches it
  return yield* holdIfOpen(store, state);
}

function* holdIfOpen(store: HostStore, state: HostInode): Steps<number> {
  const { node, opens, writers } = state;
  if (opens === 0 || node.type !== S_IFREG) return 0;
  state.isHeld = true;
  const rc = writers > 0 ? yield* store.hold(node, true) : 0;
  return rc < 0 ? rc : yield* store.hold(node, false);
}

/** What is ours of a file that loses its last name is not written, so the host is asked whether it was. @returns undefined = as we know */
function* namesLeft(store: HostStore, state: HostInode | undefined): Steps<number | undefined> {
  const stats = state?.isOurs ? yield* store.stat(state.node) : undefined;
  return typeof stats === "object" ? Number(stats.nlink) : undefined;
}

/** The record is what counts of a directory that has been removed: its times are the host's from now on, until somebody sets them. */
function takeForGood(kernel: Kernel, inode: Inode, last: BigIntStats): void {
  const state = stateOf(kernel, inode.handle);
  take(kernel, mountOf(kernel, inode.handle), inode.handle, state, last);
  inode.setTime("atime", state.values[STAT_ATIME_SEC], state.values[STAT_ATIME_NSEC]);
  inode.setTime("mtime", state.values[STAT_MTIME_SEC], state.values[STAT_MTIME_NSEC]);
  inode.setTime("ctime", state.values[STAT_CTIME_SEC], state.values[STAT_CTIME_NSEC]);
}

/** An inode has lost a name on the host. @param left names that it has, where that is known @param last as lastSeen() */
function lostName(kernel: Kernel, handle: InodeHandle, left?: number, last?: BigIntStats): void {
  const inode = new Inode(kernel, handle);
  if (last !== undefined) takeForGood(kernel, inode, last);
  if (inode.kind === DIRECTORY) inode.nlink = 0;
  else if (left !== undefined) inode.nlink = left;
  else if (inode.nlink > 0) inode.nlink--;
  const state = stateOf(kernel, handle);
  state.isNameLost = true;
  expire(state);
}

function unlink(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): Answer {
  const inode = new Dentry(kernel, dentry).inode;
  const { store } = mountOf(kernel, dir);
  const [state, parent, name] = [stateOf(kernel, inode), stateOf(kernel, dir).node, nameOf(kernel, dentry)];
  const isHeld = nrHolders(kernel, dentry) > state.opens;
  let left: number | undefined;
  return change<number>(
    kernel,
    function* () {
      const held = yield* holdIfInUse(store, state, isHeld);
      const rc = held < 0 ? held : yield* store.unlink(parent, name);
      left = yield* namesLeft(store, state);
      return rc;
    },
    () => {
      lostName(kernel, inode, left);
      return expireAll(kernel, dir);
    },
  );
}

function rmdir(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): Answer {
  const inode = new Dentry(kernel, dentry).inode;
  const { store } = mountOf(kernel, dir);
  const [state, parent, name] = [stateOf(kernel, inode), stateOf(kernel, dir).node, nameOf(kernel, dentry)];
  const isHeld = nrHolders(kernel, dentry) > 0;
  let last: BigIntStats | undefined;
  return change<number>(
    kernel,
    function* () {
      last = yield* lastSeen(store, state, isHeld);
      return yield* store.rmdir(parent, state.node, name);
    },
    () => {
      lostName(kernel, inode, 0, last);
      return expireAll(kernel, dir);
    },
  );
}

function rename(
  kernel: Kernel,
  oldDir: InodeHandle,
  oldDentry: DentryHandle,
  newDir: InodeHandle,
  newDentry: DentryHandle,
  flags: number,
): Answer {
  const mount = mountOf(kernel, oldDir);
  const { store } = mount;
  const [from, to] = [stateOf(kernel, oldDir).node, stateOf(kernel, newDir).node];
  const [oldName, newName] = [nameOf(kernel, oldDentry), nameOf(kernel, newDentry)];
  const [moved, replaced] = [new Dentry(kernel, oldDentry).inode, new Dentry(kernel, newDentry).inode];
  const victim = replaced ? stateOf(kernel, replaced) : undefined;
  const nrUsers = victim === undefined ? 0 : nrHolders(kernel, newDentry);
  const isHeld = victim !== undefined && nrUsers > victim.opens;
  let left: number | undefined;
  let last: BigIntStats | undefined;
  return change<number>(
    kernel,
    function* () {
      if (victim) last = yield* lastSeen(store, victim, nrUsers > 0);
      const held = victim ? yield* holdIfInUse(store, victim, isHeld) : 0;
      const rc = held < 0 ? held : yield* store.rename(from, oldName, to, newName, flags);
      left = yield* namesLeft(store, victim);
      return rc;
    },
    () => {
      moveNode(mount, stateOf(kernel, moved), to, newName);
      if (victim && flags) moveNode(mount, victim, from, oldName);
      else if (victim) lostName(kernel, replaced, left, last);
      return expireAll(kernel, moved, oldDir, newDir);
    },
  );
}

function link(kernel: Kernel, inode: InodeHandle, dir: InodeHandle, dentry: DentryHandle): Answer {
  const { store } = mountOf(kernel, dir);
  const [{ node }, parent, name] = [stateOf(kernel, inode), stateOf(kernel, dir).node, nameOf(kernel, dentry)];
  return change<number>(
    kernel,
    function* () {
      const rc = yield* store.link(node, parent, name);
      return rc === -ESTALE ? -ENOENT : rc;
    },
    () => {
      const { x } = kernel.core;
      x.iget(inode);
      x.dInstantiate(dentry, inode);
      x.dAdd(dentry);
      new Inode(kernel, inode).nlink++;
      return expireAll(kernel, inode, dir);
    },
  );
}

/** Target of a symbolic link. */
export function getLink(kernel: Kernel, inode: InodeHandle): Uint8Array | number {
  const { store } = mountOf(kernel, inode);
  const state = stateOf(kernel, inode);
  return ask(kernel, `readlink ${state.serial}`, undefined, () => store.readlink(hostWasRead(state).node));
}

/** What a directory does with names. @param native what node:fs cannot do */
export function namesOperations(native: HostNative): InodeOperations {
  return {
    lookup,
    create: (kernel, dir, dentry, mode) =>
      make(kernel, dir, dentry, mode, (store, parent, name, attributes) => store.create(parent, name, attributes)),
    mkdir: (kernel, dir, dentry, mode) =>
      make(kernel, dir, dentry, mode, (store, parent, name, attributes) => store.mkdir(parent, name, attributes)),
    mknod: (kernel, dir, dentry, mode, dev) =>
      native.mknod === undefined
        ? -EOPNOTSUPP
        : make(kernel, dir, dentry, mode, (store, parent, name, { uid, gid }) =>
            store.mknod(parent, name, { mode, uid, gid }, dev),
          ),
    symlink,
    link,
    unlink,
    rmdir,
    rename,
  };
}
