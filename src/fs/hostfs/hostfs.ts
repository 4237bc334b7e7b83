/**
 * hostfs: a folder of the host, mounted.
 *
 *   kernel.registerFileSystem(hostfs);
 *   kernel.mount({ type: "hostfs", source: "/real/dir", target: "/mnt", data: "ttl=1000" });
 *
 * Names and attributes are believed for `ttl` milliseconds and then asked for again; data goes by pages (host-file.ts). The
 * host's files belong to the user that Node runs as, permissions are checked here by the attributes shown.
 *
 *   host-names, host-dir, host-setattr, host-file, host-write-back, host-write, host-aops, host-super     operations
 *     ├─► host-dirty   whose a file is, with cache=writeback
 *     └─► host-ask    synchronous calls ask at once, promise calls by promises
 *           └─► host-store ─► host-root, fd-cache     what is asked, in steps (host-steps)
 *
 * Does not own: any of it; these are the tables.
 */
import type { FileSystemType } from "../../vfs/fs-type.ts";
import { storedPages } from "../stored-pages.ts";
import { hostPages } from "./host-aops.ts";
import { hostDirectoryOperations } from "./host-dir.ts";
import { hostFileOperations } from "./host-file.ts";
import { getLink, isTrue, namesOperations, revalidate } from "./host-names.ts";
import { attributeOperations } from "./host-setattr.ts";
import { fillHostSuper, hostSuperOperations } from "./host-super.ts";
import type { HostNative } from "./native.ts";

/** The type, with a helper for what node:fs cannot do. */
export function createHostfs(native: HostNative = {}): FileSystemType {
  return {
    name: "hostfs",
    fsFlags: 0,
    pages: storedPages,
    // By kind: FILE, DIRECTORY, SYMLINK, SPECIAL (host-mount.ts).
    tables: [
      { inode: attributeOperations, file: hostFileOperations, mapping: hostPages },
      {
        inode: { ...attributeOperations, ...namesOperations(native) },
        file: hostDirectoryOperations,
        mapping: {},
      },
      { inode: { ...attributeOperations, getLink }, file: {}, mapping: {} },
      { inode: attributeOperations, file: {}, mapping: {} },
    ],
    superOps: hostSuperOperations,
    dentryOps: { isTrue, revalidate },
    fillSuper: (sb, data, source) => fillHostSuper(sb, data, source, native),
  };
}

export const hostfs: FileSystemType = createHostfs();
