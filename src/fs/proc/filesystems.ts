/**
 * `filesystems`: types that are registered, and whether they need a device.
 *
 * @see Linux fs/filesystems.c filesystems_proc_show(); proc_filesystems(5)
 */
import { FS_REQUIRES_DEV } from "../../vfs/fs-type.ts";
import type { ProcEntry } from "./entry.ts";

export const filesystems: ProcEntry = {
  name: "filesystems",
  mode: 0o444,
  show: (m, { kernel }) => {
    for (const { name, fsFlags } of kernel.registeredTypes()) {
      m.puts(`${fsFlags & FS_REQUIRES_DEV ? "" : "nodev"}\t${name}\n`);
    }
  },
};
