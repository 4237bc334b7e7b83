/**
 * Compaction by those who may ask file systems: the core moves what moves by its bytes alone, then the others follow,
 * and pages of several files.
 *
 * @see Linux mm/compaction.c compact_nodes()
 */
import { MIGRATE_SYNC, type MigrateMode } from "../mm/address-space.ts";
import { migrateAskedPages } from "../mm/migrate.ts";
import { migrateSharedPages } from "../mm/shared-frames.ts";
import type { Kernel } from "./kernel.ts";

/** Moves cached pages together, to the start of memory. @returns how many have moved */
export function compact(kernel: Kernel, mode: MigrateMode = MIGRATE_SYNC): number {
  const { core } = kernel;
  return core.x.compactMemory() + migrateAskedPages(kernel, mode) + migrateSharedPages(core);
}
