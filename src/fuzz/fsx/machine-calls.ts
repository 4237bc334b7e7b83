/** What is done to all of the machine: caches dropped, pages moved, mounts, copies of memory. */
import { bytesFor } from "../pattern.ts";
import type { Exerciser, Perform } from "./exerciser.ts";
import { FileModel } from "./file-model.ts";
import type { Operation, OperationName } from "./operation.ts";

function reopen(on: Exerciser, { file, by }: Operation): void {
  on.reopen(file, by);
}

function verify(on: Exerciser): void {
  on.verify();
}

function dropCaches(on: Exerciser, { choice }: Operation): void {
  on.call("dropCaches", () => on.folio.kernel.dropCaches(((choice % 3) + 1) as 1 | 2 | 3));
}

function compact(on: Exerciser): void {
  on.call("compact", () => on.folio.kernel.compact());
}

/** Not while pages are pinned: views have to be given up. */
function shrink(on: Exerciser): void {
  on.letGo();
  on.call("shrink", () => on.folio.kernel.shrink());
}

function remount(on: Exerciser, { choice }: Operation): void {
  if (on.machine.remountsUnmapped === true) on.letGo();
  on.call("remount", () => on.machine.remount?.(choice));
}

/** What is dirty is written before. */
function umount(on: Exerciser, { choice }: Operation): void {
  on.closeAll();
  on.call("umount", () => on.machine.umount?.(choice));
  for (const file of on.models.keys()) on.compareStored("umount", file);
}

/** Of what is open it has nothing. */
function snapshot(on: Exerciser): void {
  const bytes = on.call("snapshot", () => on.folio.kernel.snapshot());
  if (bytes !== undefined) on.saved = { bytes, models: on.models.map((model) => model.clone()) };
}

function restore(on: Exerciser): void {
  const { saved } = on;
  if (saved === undefined) return;
  on.letGo();
  on.call("restore", () => on.machine.restore?.(saved.bytes));
  on.renewed(saved.models);
}

/** Descriptors are ESTALE then, until they are closed. */
function rollback(on: Exerciser, { file, by }: Operation): void {
  const { saved } = on;
  if (saved === undefined) return;
  on.letGo();
  const { fd } = on.open(file, by);
  on.call("rollback", () => on.machine.rollback?.(saved.bytes));
  on.call("a descriptor after rollback", () => on.machine.fs.fstatSync(fd), "ESTALE");
  on.closeAll();
  on.renewed(saved.models);
}

function fork(on: Exerciser): void {
  on.letGo();
  on.call("fork", () => on.machine.fork?.());
  on.renewed(on.models);
}

/** Who looks at the tree anew sees all of it. */
function change(on: Exerciser, { file, length, seed }: Operation): void {
  const content = bytesFor(Math.min(length, on.length), seed);
  on.closeAll();
  on.machine.change?.(file, content);
  on.models[file] = new FileModel(on.length, content);
  on.touch(file, 0, on.length);
}

export const MACHINE_CALLS = {
  reopen,
  verify,
  dropCaches,
  compact,
  shrink,
  remount,
  umount,
  snapshot,
  restore,
  rollback,
  fork,
  change,
} satisfies Partial<Record<OperationName, Perform>>;
