/**
 * hostfs: a folder of the host, mounted.
 *
 *   kernel.registerFileSystem(hostfs);
 *   kernel.mount({ type: "hostfs", source: "/real/dir", target: "/mnt", data: "ttl=1000,cache=none" });
 *
 * Names and attributes are believed for `ttl` milliseconds and then asked for again; data goes straight to the host
 * (host-data.ts). The host's files belong to the user that Node runs as, permissions are checked here by the attributes shown.
 *
 * Does not own: paths and descriptors (host-root.ts, fd-cache.ts), what stands for what (host-mount.ts).
 */
import { EBADF, EINVAL, EIO, ENOENT, EOPNOTSUPP, ESTALE } from "../../base/errno.ts";
import type { DentryHandle, FileHandle, InodeHandle } from "../../base/handles.ts";
import { S_IFDIR, S_IFREG } from "../../base/stat-flags.ts";
import {
  ATTR_ATIME,
  ATTR_GID,
  ATTR_MODE,
  ATTR_MTIME,
  ATTR_SIZE,
  ATTR_UID,
  type Attributes,
  type FileOperations,
  type FileSystemType,
  type InodeOperations,
  type SuperOperations,
} from "../../vfs/fs-type.ts";
import { Dentry, Inode } from "../../vfs/inode.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { setattrCopy, setattrPrepare, truncateSetsize } from "../../vfs/setattr.ts";
import type { SuperBlock } from "../../vfs/super-block.ts";
import {
  STAT_DEV,
  STAT_NLINK,
  STATFS_BAVAIL,
  STATFS_BFREE,
  STATFS_BLOCKS,
  STATFS_BSIZE,
  STATFS_FFREE,
  STATFS_FILES,
} from "../../vfs/syscalls.ts";
import { PATH_A } from "../../wasm/core.ts";
import { FILE_MODE, FMODE_APPEND, FMODE_READ, FMODE_WRITE } from "../../wasm/layout.ts";
import { readData, writeData } from "./host-data.ts";
import {
  DIRECTORY,
  dropHostMount,
  type HostInode,
  type HostMount,
  hostMount,
  instantiate,
  isFresh,
  mountOf,
  moveNode,
  refresh,
  remember,
  setHostMount,
} from "./host-mount.ts";
import { fdKey, type HostNode, isNode } from "./host-root.ts";
import { type Found, type HostChange, HostStore } from "./host-store.ts";
import type { HostNative } from "./native.ts";
import { parseHostOptions, showHostOptions } from "./options.ts";

const HOSTFS_MAGIC = 0x00c0ffee;

function stateOf(kernel: Kernel, inode: InodeHandle): HostInode {
  const state = mountOf(kernel, inode).inodes.get(inode);
  if (!state) throw new Error(`hostfs: inode ${inode} is not known, or has been evicted`);
  return state;
}

function nameOf(kernel: Kernel, dentry: DentryHandle): Uint8Array {
  return new Dentry(kernel, dentry).name;
}

// --- Names --------------------------------------------------------------------------------------------------------------

function lookup(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number {
  const found = mountOf(kernel, dir).store.lookup(stateOf(kernel, dir).node, nameOf(kernel, dentry));
  if (typeof found === "number") return found === -ENOENT ? 0 : found === -ESTALE ? -ENOENT : found;
  return instantiate(kernel, kernel.sbOf(dir), dentry, found.node, found.stats);
}

/** A name is true for ttl, and after it if it still leads to the same inode; a missing one is asked for each time. */
function revalidate(kernel: Kernel, handle: DentryHandle): number {
  const dentry = new Dentry(kernel, handle);
  const { inode } = dentry;
  if (inode === 0) return 0;
  const mount = mountOf(kernel, inode);
  const state = stateOf(kernel, inode);
  if (isFresh(mount, state) && !state.isNameLost) return 1;
  const parent = stateOf(kernel, new Dentry(kernel, dentry.parent).inode).node;
  const found = mount.store.lookup(parent, dentry.name);
  if (typeof found === "number" || !isNode(state.node, found.stats)) return 0;
  moveNode(state, parent, found.node.name);
  return refresh(kernel, mount, inode, state) === 0 ? 1 : 0;
}

/** Makes something in a directory, and its name here. */
function make(
  kernel: Kernel,
  dir: InodeHandle,
  dentry: DentryHandle,
  onHost: (store: HostStore, parent: HostNode, name: Uint8Array) => Found | number,
): number {
  const found = onHost(mountOf(kernel, dir).store, stateOf(kernel, dir).node, nameOf(kernel, dentry));
  if (typeof found === "number") return found;
  const rc = instantiate(kernel, kernel.sbOf(dir), dentry, found.node, found.stats);
  if (rc < 0) return rc; // what the host has is found again by the next lookup
  kernel.core.x.dAdd(dentry);
  expire(kernel, dir);
  return 0;
}

/** Attributes have changed by what we did: they are asked for when next wanted. */
function expire(kernel: Kernel, inode: InodeHandle): void {
  stateOf(kernel, inode).checkedMs = Number.NEGATIVE_INFINITY;
}

/** A file that is open keeps its descriptor when it loses a name, which may be the one it is found by. */
function holdIfOpen(kernel: Kernel, inode: InodeHandle): number {
  const state = stateOf(kernel, inode);
  const { node, opens, writers } = state;
  if (opens === 0 || node.type !== S_IFREG) return 0;
  const { store } = mountOf(kernel, inode);
  state.isHeld = true;
  const rc = writers > 0 ? store.hold(node, true) : 0;
  return rc < 0 ? rc : store.hold(node, false);
}

/** An inode has lost a name on the host. */
function lostName(kernel: Kernel, handle: InodeHandle): void {
  const inode = new Inode(kernel, handle);
  if (inode.kind === DIRECTORY) inode.nlink = 0;
  else if (inode.nlink > 0) inode.nlink--;
  stateOf(kernel, handle).isNameLost = true;
  expire(kernel, handle);
}

function unlink(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number {
  const inode = new Dentry(kernel, dentry).inode;
  const { store } = mountOf(kernel, dir);
  const held = holdIfOpen(kernel, inode);
  if (held < 0) return held;
  const rc = store.unlink(stateOf(kernel, dir).node, nameOf(kernel, dentry));
  if (rc < 0) return rc;
  lostName(kernel, inode);
  expire(kernel, dir);
  return 0;
}

function rmdir(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number {
  const inode = new Dentry(kernel, dentry).inode;
  const { node } = stateOf(kernel, inode);
  const rc = mountOf(kernel, dir).store.rmdir(stateOf(kernel, dir).node, node, nameOf(kernel, dentry));
  if (rc < 0) return rc;
  lostName(kernel, inode);
  expire(kernel, dir);
  return 0;
}

function rename(
  kernel: Kernel,
  oldDir: InodeHandle,
  oldDentry: DentryHandle,
  newDir: InodeHandle,
  newDentry: DentryHandle,
  flags: number,
): number {
  const { store } = mountOf(kernel, oldDir);
  const [from, to] = [stateOf(kernel, oldDir).node, stateOf(kernel, newDir).node];
  const [oldName, newName] = [nameOf(kernel, oldDentry), nameOf(kernel, newDentry)];
  const [moved, replaced] = [new Dentry(kernel, oldDentry).inode, new Dentry(kernel, newDentry).inode];
  const held = replaced ? holdIfOpen(kernel, replaced) : 0;
  const rc = held < 0 ? held : store.rename(from, oldName, to, newName, flags);
  if (rc < 0) return rc;
  moveNode(stateOf(kernel, moved), to, newName);
  if (replaced && flags) moveNode(stateOf(kernel, replaced), from, oldName);
  else if (replaced) lostName(kernel, replaced);
  for (const inode of [moved, oldDir, newDir]) expire(kernel, inode);
  return 0;
}

function link(kernel: Kernel, inode: InodeHandle, dir: InodeHandle, dentry: DentryHandle): number {
  const { store } = mountOf(kernel, dir);
  const { node } = stateOf(kernel, inode);
  const rc = store.link(node, stateOf(kernel, dir).node, nameOf(kernel, dentry));
  if (rc < 0) return rc === -ESTALE ? -ENOENT : rc;
  const { x } = kernel.core;
  x.iget(inode);
  x.dInstantiate(dentry, inode);
  x.dAdd(dentry);
  new Inode(kernel, inode).nlink++;
  for (const changed of [inode, dir]) expire(kernel, changed);
  return 0;
}

// --- Attributes ---------------------------------------------------------------------------------------------------------

function getattr(kernel: Kernel, inode: InodeHandle, values: Float64Array): number {
  const mount = mountOf(kernel, inode);
  const state = stateOf(kernel, inode);
  const isGone = state.node.type === S_IFDIR && new Inode(kernel, inode).nlink === 0; // the host cannot be asked for it
  const rc = isGone || isFresh(mount, state) ? 0 : refresh(kernel, mount, inode, state);
  if (rc < 0) return rc;
  if (isGone) state.values[STAT_NLINK] = 0;
  const dev = values[STAT_DEV];
  values.set(state.values);
  values[STAT_DEV] = dev;
  return 0;
}

/** The host first, then what is known here. What a truncation does to times the host does by itself. */
function setattr(kernel: Kernel, inode: InodeHandle, attr: Attributes): number {
  const refused = setattrPrepare(kernel, inode, attr);
  if (refused < 0) return refused;
  const rc = mountOf(kernel, inode).store.change(stateOf(kernel, inode).node, hostChange(attr));
  if (rc < 0) return rc;
  if (attr.valid & ATTR_SIZE) truncateSetsize(kernel, inode, attr.size);
  setattrCopy(kernel, inode, attr);
  expire(kernel, inode);
  return 0;
}

function hostChange({ valid, mode, uid, gid, size, atimeSec, atimeNsec, mtimeSec, mtimeNsec }: Attributes): HostChange {
  const isTruncation = (valid & ATTR_SIZE) !== 0;
  return {
    ...(valid & ATTR_MODE && { mode }),
    ...(valid & ATTR_UID && { uid }),
    ...(valid & ATTR_GID && { gid }),
    ...(isTruncation && { size }),
    ...(!isTruncation && valid & ATTR_ATIME && { atime: atimeSec + atimeNsec / 1e9 }),
    ...(!isTruncation && valid & ATTR_MTIME && { mtime: mtimeSec + mtimeNsec / 1e9 }),
  };
}

const anyOperations: InodeOperations = { getattr, setattr };

function directoryOperations(native: HostNative | undefined): InodeOperations {
  return {
    ...anyOperations,
    lookup,
    create: (kernel, dir, dentry, mode) =>
      make(kernel, dir, dentry, (store, parent, name) => store.create(parent, name, mode)),
    mkdir: (kernel, dir, dentry, mode) =>
      make(kernel, dir, dentry, (store, parent, name) => store.mkdir(parent, name, mode)),
    mknod: (kernel, dir, dentry, mode, dev) =>
      native?.mknod
        ? make(kernel, dir, dentry, (store, parent, name) => store.mknod(parent, name, mode, dev))
        : -EOPNOTSUPP,
    symlink: (kernel, dir, dentry, length) => {
      const target = kernel.core.u8.slice(PATH_A, PATH_A + length);
      return make(kernel, dir, dentry, (store, parent, name) => store.symlink(parent, name, target));
    },
    link,
    unlink,
    rmdir,
    rename,
  };
}

// --- Open files ---------------------------------------------------------------------------------------------------------

function modeOf({ core }: Kernel, file: FileHandle): number {
  return core.u32[(file << 3) + FILE_MODE];
}

function fsync(kernel: Kernel, file: FileHandle, dataOnly: boolean): number {
  const inode = Inode.ofFile(kernel, file).handle;
  return mountOf(kernel, inode).store.fsync(stateOf(kernel, inode).node, dataOnly);
}

const fileOperations: FileOperations = {
  /** What the host has changed is seen from here on, unless it was looked at within ttl. */
  open(kernel, inode, file) {
    const mount = mountOf(kernel, inode);
    const state = stateOf(kernel, inode);
    const writes = (modeOf(kernel, file) & FMODE_WRITE) !== 0;
    const seen = isFresh(mount, state) ? 0 : refresh(kernel, mount, inode, state);
    const rc = seen < 0 ? seen : mount.store.withFile(state.node, writes, () => 0);
    if (rc < 0) return rc;
    state.opens++;
    if (writes) state.writers++;
    return 0;
  },
  release(kernel, inode, file) {
    const state = stateOf(kernel, inode);
    state.opens--;
    if (modeOf(kernel, file) & FMODE_WRITE) state.writers--;
    if (state.opens > 0 || !state.isHeld) return;
    state.isHeld = false;
    mountOf(kernel, inode).store.drop(state.node);
  },
  read(kernel, file, buffer, offset, length, position) {
    if (!(modeOf(kernel, file) & FMODE_READ)) return -EBADF;
    const inode = Inode.ofFile(kernel, file).handle;
    const start = position < 0 ? kernel.core.filePos(file) : position;
    const view = buffer.subarray(offset, offset + length);
    const n = readData(mountOf(kernel, inode).store, stateOf(kernel, inode).node, view, start);
    if (position < 0 && n > 0) kernel.core.setFilePos(file, start + n);
    return n;
  },
  write(kernel, file, buffer, offset, length, position) {
    const mode = modeOf(kernel, file);
    if (!(mode & FMODE_WRITE)) return -EBADF;
    const inode = Inode.ofFile(kernel, file);
    const mount = mountOf(kernel, inode.handle);
    const state = stateOf(kernel, inode.handle);
    let start = position < 0 ? kernel.core.filePos(file) : position;
    if (mode & FMODE_APPEND) {
      const seen = refresh(kernel, mount, inode.handle, state);
      if (seen < 0) return seen;
      start = inode.size;
    }
    const n = writeData(mount.store, state.node, buffer.subarray(offset, offset + length), start);
    if (n <= 0) return n;
    inode.size = Math.max(inode.size, start + n);
    expire(kernel, inode.handle);
    if (position < 0) kernel.core.setFilePos(file, start + n);
    return n;
  },
  fsync,
};

// --- The mount ----------------------------------------------------------------------------------------------------------

const superOperations: SuperOperations = {
  statfs(sb, values) {
    const found = hostMount(sb)?.store.statfs();
    if (found === undefined) return -EIO;
    if (typeof found === "number") return found;
    values[STATFS_BSIZE] = Number(found.bsize);
    values[STATFS_BLOCKS] = Number(found.blocks);
    values[STATFS_BFREE] = Number(found.bfree);
    values[STATFS_BAVAIL] = Number(found.bavail);
    values[STATFS_FILES] = Number(found.files);
    values[STATFS_FFREE] = Number(found.ffree);
    return 0;
  },
  evictInode(kernel, inode) {
    const mount = hostMount(kernel.sbOf(inode));
    const state = mount?.inodes.get(inode);
    if (!mount || !state) return;
    mount.inodes.delete(inode);
    if (mount.handles.get(fdKey(state.node)) !== inode) return;
    mount.handles.delete(fdKey(state.node));
    mount.store.drop(state.node);
  },
  putSuper(sb) {
    hostMount(sb)?.store.close();
    dropHostMount(sb);
  },
  showOptions: (sb) => showHostOptions((hostMount(sb) as HostMount).options),
  remount(sb, data) {
    const mount = hostMount(sb) as HostMount;
    const options = parseHostOptions(data, mount.options);
    if (options?.cache !== "none") return -EINVAL; // issue 13: pages in between are still to come
    mount.options = options;
    mount.store.fds.max = options.maxFds;
    for (const state of mount.inodes.values()) state.checkedMs = Number.NEGATIVE_INFINITY;
    return 0;
  },
};

function fillSuper(sb: SuperBlock, data: string, source: string, native: HostNative | undefined): number {
  const options = parseHostOptions(data);
  if (options?.cache !== "none") return -EINVAL; // as remount()
  const store = HostStore.open(source, options.maxFds, native);
  if (typeof store === "number") return store;
  const mount: HostMount = { store, options, inodes: new Map(), handles: new Map() };
  sb.magic = HOSTFS_MAGIC;
  const stats = store.stat(store.root);
  const rc = typeof stats === "number" ? stats : sb.makeRoot(0o755, 0, 0, DIRECTORY);
  if (rc < 0 || typeof stats === "number") {
    store.close();
    return rc;
  }
  setHostMount(sb, mount);
  remember(sb.kernel, mount, new Dentry(sb.kernel, sb.root).inode, store.root, stats);
  return 0;
}

/** The type, with a helper for what node:fs cannot do. */
export function createHostfs(native?: HostNative): FileSystemType {
  const directory = directoryOperations(native);
  return {
    name: "hostfs",
    fsFlags: 0,
    tables: [
      { inode: anyOperations, file: fileOperations, mapping: {} },
      {
        inode: directory,
        file: {
          iterate: (kernel, dir, emit) => mountOf(kernel, dir).store.readdir(stateOf(kernel, dir).node, emit),
          fsync,
        },
        mapping: {},
      },
      {
        inode: {
          ...anyOperations,
          getLink: (kernel, inode) => mountOf(kernel, inode).store.readlink(stateOf(kernel, inode).node),
        },
        file: {},
        mapping: {},
      },
      { inode: anyOperations, file: {}, mapping: {} },
    ],
    superOps: superOperations,
    dentryOps: { revalidate },
    fillSuper: (sb, data, source) => fillSuper(sb, data, source, native),
  };
}

export const hostfs: FileSystemType = createHostfs();
