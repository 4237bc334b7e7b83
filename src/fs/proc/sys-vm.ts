/**
 * `sys/vm`: limits of dirty pages, what reclaim is to prefer, and dropping of caches.
 *
 * Does not own: the values (mm/vm-limits.ts), what is done by them (mm/).
 *
 * @see Linux Documentation/admin-guide/sysctl/vm.rst; proc_sys_vm(5)
 */
import type { VmLimits } from "../../mm/vm-limits.ts";
import { dirtyLimits } from "../../vfs/super-bdi.ts";
import { PAGE_SIZE } from "../../wasm/layout.ts";
import type { ProcEntry } from "./entry.ts";

const MAX_INT = 2 ** 31 - 1;
const MAX_SWAPPINESS = 200;
const MAX_PAGE_CLUSTER = 31;
/** 1 pages, 2 names and inodes; 4 asked Linux to say no more of it in its log. */
const MAX_DROP = 4;

/** Settings of which the value is a number of the limits, by its name there. */
type Setting = Extract<keyof VmLimits, `${string}_${string}` | "swappiness">;

/** @param name of the file, where it is not that of the setting */
function setting(of: Setting, min: number, max: number, name: string = of): ProcEntry {
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
  sysctl: { write: { min: 1, max: 1, set: (kernel) => void kernel.core.x.compactMemory() } },
};

export const vm: ProcEntry = {
  name: "vm",
  mode: 0o555,
  children: [
    compactMemory,
    setting("dirty_background_bytes", 1, Number.MAX_SAFE_INTEGER),
    setting("dirty_background_ratio", 0, 100),
    setting("dirty_bytes", 2 * PAGE_SIZE, Number.MAX_SAFE_INTEGER),
    setting("dirty_expire_centisecs", 0, MAX_INT),
    setting("dirty_ratio", 0, 100),
    setting("dirty_writeback_centisecs", 0, MAX_INT),
    dropCaches,
    setting("min_free_kbytes", 0, MAX_INT),
    setting("page_cluster", 0, MAX_PAGE_CLUSTER, "page-cluster"),
    setting("swappiness", 0, MAX_SWAPPINESS),
    setting("vfs_cache_pressure", 0, MAX_INT),
  ],
};
