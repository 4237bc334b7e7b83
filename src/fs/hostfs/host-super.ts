/**
 * The super block of a hostfs mount: options, statfs, and the end.
 *
 * Does not own: what stands for what (host-mount.ts), the options themselves (options.ts).
 */
import type { BigIntStatsFs } from "node:fs";
import { EINVAL, EIO } from "../../base/errno.ts";
import { syncFilesystem } from "../../vfs/dirty-inode.ts";
import type { SuperOperations } from "../../vfs/fs-type.ts";
import { Dentry } from "../../vfs/inode.ts";
import { superSetupBdi } from "../../vfs/super-bdi.ts";
import type { SuperBlock } from "../../vfs/super-block.ts";
import {
  STATFS_BAVAIL,
  STATFS_BFREE,
  STATFS_BLOCKS,
  STATFS_BSIZE,
  STATFS_FFREE,
  STATFS_FILES,
} from "../../vfs/syscalls.ts";
import { ask } from "./host-ask.ts";
import { giveUp, writeBackAll } from "./host-dirty.ts";
import { writesBackAtExit } from "./host-exit.ts";
import { DIRECTORY, dropHostMount, expire, type HostMount, hostMount, remember, setHostMount } from "./host-mount.ts";
import { dropPages } from "./host-pages.ts";
import { runNow } from "./host-steps.ts";
import { HostStore } from "./host-store.ts";
import { moment } from "./moment.ts";
import type { HostNative } from "./native.ts";
import { parseHostOptions, showHostOptions } from "./options.ts";

const HOSTFS_MAGIC = 0x00c0ffee;

export const hostSuperOperations: SuperOperations = {
  statfs(sb, values) {
    const mount = hostMount(sb);
    if (mount === undefined) return -EIO;
    const found = ask<BigIntStatsFs>(sb.kernel, `statfs ${mount.serial}`, undefined, () => mount.store.statfs());
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
    if (state.changedAt > 0) mount.lostAt = moment();
    giveUp(mount, state);
    mount.store.dropPlace(state.node);
    if (mount.handles.get(state.node.key) !== inode) return;
    mount.handles.delete(state.node.key);
    mount.store.drop(state.node);
  },
  putSuper(sb) {
    hostMount(sb)?.store.close();
    dropHostMount(sb);
  },
  // The host goes on; what is ours is written before, and nothing goes to it until the thaw.
  freezeFs: () => 0,
  unfreezeFs: () => 0,
  showOptions: (sb) => showHostOptions((hostMount(sb) as HostMount).options),
  remount(sb, data) {
    const mount = hostMount(sb) as HostMount;
    const options = parseHostOptions(data, mount.options);
    if (!options) return -EINVAL;
    const isLeft = mount.options.cache === "writeback" && options.cache !== "writeback";
    const unwritten = isLeft ? syncFilesystem(sb, true) : 0;
    if (unwritten < 0) return unwritten;
    mount.options = options;
    writesBackAtExit(sb.kernel, sb.handle, options.cache === "writeback");
    mount.store.fds.max = options.maxFds;
    for (const [inode, state] of mount.inodes) {
      expire(state);
      if (options.cache === "none") dropPages(sb.kernel, inode);
    }
    return 0;
  },
};

/** Mounts the folder `source`. @returns 0; -EINVAL (options); -ENOENT, -ENOTDIR and other errors of the host; -ENOMEM */
export function fillHostSuper(sb: SuperBlock, data: string, source: string, native: HostNative): number {
  const options = parseHostOptions(data);
  if (!options) return -EINVAL;
  const store = HostStore.open(source, options.maxFds, native);
  if (typeof store === "number") return store;
  const mount: HostMount = {
    serial: moment(),
    store,
    options,
    inodes: new Map(),
    handles: new Map(),
    listings: new Map(),
    lostAt: 0,
    nrOurs: 0,
    counters: { hostfs_dirty_conflicts: 0 },
    unanswered: new Set(),
  };
  sb.magic = HOSTFS_MAGIC;
  const stats = runNow(store.stat(store.root));
  const rc = typeof stats === "number" ? stats : sb.makeRoot(0o755, 0, 0, DIRECTORY);
  if (rc < 0 || typeof stats === "number") {
    store.close();
    return rc;
  }
  setHostMount(sb, mount);
  const { kernel, handle } = sb;
  const ended = (): void => {
    writesBackAtExit(kernel, handle, false);
    store.close(); // where there was no umount: the kernel is destroyed, or goes on with another memory
    dropHostMount(sb);
  };
  const bdi = superSetupBdi(sb, { counters: mount.counters, ended });
  store.fds.relieve = () => kernel.nested(() => writeBackAll(bdi));
  writesBackAtExit(kernel, handle, options.cache === "writeback");
  remember(sb.kernel, mount, new Dentry(sb.kernel, sb.root).inode, store.root, stats);
  return 0;
}
