/**
 * `sys/vm`: limits of dirty pages, what reclaim is to prefer, and dropping of caches.
 *
 * Does not own: the values (mm/vm-limits.ts), what is done by them (mm/).
 *
 * @see Linux Documentation/admin-guide/sysctl/vm.rst; proc_sys_vm(5)
 */
import { VM_RANGES } from "../../mm/vm-limits.ts";
import { compact } from "../../vfs/compact.ts";
import { dirtyLimits } from "../../vfs/super-bdi.ts";
import type { ProcEntry } from "./entry.ts";

/** 1 pages, 2 names and inodes; 4 asked Linux to say no more of it in its log. */
const MAX_DROP = 4;

/** A setting of which the value is a number of the limits. @param name of the file, where it is not that of the setting */
function setting(of: keyof typeof VM_RANGES, name: string = of): ProcEntry {
  const [min, max] = VM_RANGES[of];
  return {
    name,
    mode: 0o644,
    sysctl: {
      get: (kernel) => String(dirtyLimits(kernel)[of]),
      write: {
        min,
        max,
        set: (kernel, value) => {
          dirtyLimits(kernel)[of] = value;
        },
      },
    },
  };
}

const dropCaches: ProcEntry = {
  name: "drop_caches",
  mode: 0o200,
  sysctl: { write: { min: 1, max: MAX_DROP, set: (kernel, what) => kernel.dropCaches(what) } },
};

const compactMemory: ProcEntry = {
  name: "compact_memory",
  mode: 0o200,
  sysctl: { write: { min: 1, max: 1, set: (kernel) => void compact(kernel) } },
};

export const vm: ProcEntry = {
  name: "vm",
  mode: 0o555,
  children: [
    compactMemory,
    setting("dirty_background_bytes"),
    setting("dirty_background_ratio"),
    setting("dirty_bytes"),
    setting("dirty_expire_centisecs"),
    setting("dirty_ratio"),
    setting("dirty_writeback_centisecs"),
    dropCaches,
    setting("min_free_kbytes"),
    setting("page_cluster", "page-cluster"),
    setting("swappiness"),
    setting("vfs_cache_pressure"),
  ],
};
