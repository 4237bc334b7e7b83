/** Draws operations: where pages, files and sizes have their edges, more often than elsewhere. */
import { chance, type Random, type Weighted, weighted } from "../random.ts";
import type { Machine } from "./machine.ts";
import { NR_FILES, type Operation, type OperationName, operation } from "./operation.ts";
import { WAYS } from "./ways.ts";

const PAGE = 4096;
const SECTOR = 512;
/** Most bytes of one operation. */
const MAX_BYTES = 64 * 1024;
/** As many bytes of the pattern begin elsewhere (pattern.ts). */
const NR_SEEDS = 251;
const NR_CHOICES = 12;

export interface DrawOptions {
  /** Most bytes of a file. */
  readonly length: number;
  readonly isMapped: boolean;
  readonly isDirect: boolean;
}

/** Which operations a machine can do, and how often they are drawn. */
export function choicesFor(machine: Machine, { isMapped }: DrawOptions): Weighted<OperationName> {
  const { abilities, folio } = machine;
  const isFolio = folio !== undefined;
  const all: readonly (readonly [number, OperationName, boolean])[] = [
    [80, "read", true],
    [20, "readv", true],
    [4, "readFile", true],
    [10, "preadv2", isFolio],
    [100, "write", abilities.write],
    [25, "writev", abilities.write],
    [1, "writeFile", abilities.write],
    [5, "appendFile", abilities.write],
    [14, "truncate", abilities.write],
    [20, "ftruncate", abilities.write],
    [35, "fallocate", isFolio && abilities.write],
    [3, "copyFile", abilities.write],
    [14, "copyFileRange", isFolio && abilities.write],
    [3, "ficlone", isFolio && abilities.write],
    [14, "ficlonerange", isFolio && abilities.write],
    [8, "lseek", isFolio],
    [6, "seekExtents", isFolio && abilities.seek],
    [6, "fsync", true],
    [4, "fdatasync", true],
    [2, "sync", isFolio],
    [5, "syncFileRange", isFolio && machine.stored !== undefined],
    [8, "fadvise", isFolio],
    [16, "mmap", isFolio && isMapped],
    [40, "mapRead", isFolio && isMapped],
    [50, "mapWrite", isFolio && isMapped],
    [10, "mapView", isFolio && isMapped],
    [6, "msync", isFolio && isMapped],
    [4, "mlock", isFolio && isMapped],
    [6, "munmap", isFolio && isMapped],
    [12, "readView", isFolio && isMapped],
    [5, "holdView", isFolio && isMapped],
    [6, "releaseView", isFolio && isMapped],
    [8, "reopen", true],
    [3, "rename", abilities.secondName],
    [8, "stat", true],
    [3, "compare", true],
    [1, "verify", isFolio],
    [6, "dropCaches", isFolio],
    [4, "compact", isFolio],
    [1, "shrink", isFolio],
    [2, "remount", machine.remount !== undefined],
    [2, "umount", machine.umount !== undefined],
    [2, "snapshot", machine.restore !== undefined],
    [1, "restore", machine.restore !== undefined],
    [1, "rollback", machine.rollback !== undefined],
    [1, "fork", machine.fork !== undefined],
    [3, "change", machine.change !== undefined],
  ];
  return all.filter(([, , isThere]) => isThere).map(([weight, name]) => [weight, name] as const);
}

/** @param sizes of the files as they are @param choices as choicesFor() gives them */
export function drawOperation(
  random: Random,
  sizes: readonly number[],
  choices: Weighted<OperationName>,
  { length: most, isDirect }: DrawOptions,
): Operation {
  const op = weighted(random, choices);
  const [file, other] = [random(NR_FILES), random(NR_FILES)];
  const at = drawPosition(random, sizes[file], most);
  return operation({
    op,
    file,
    other,
    by: random(isDirect ? WAYS.length : WAYS.length - 1),
    at,
    to: drawPosition(random, sizes[other], most),
    length: isSize(op) ? drawPosition(random, sizes[file], most) : drawLength(random, sizes[file] - at, most),
    seed: random(NR_SEEDS),
    choice: random(NR_CHOICES),
  });
}

function isSize(op: OperationName): boolean {
  return op === "truncate" || op === "ftruncate";
}

/** A byte of 0 to most - 1. */
function drawPosition(random: Random, size: number, most: number): number {
  const at = weighted<() => number>(random, [
    [25, () => random(most)],
    [30, () => random(size + 1)],
    [25, () => near(random, PAGE * random(Math.ceil(most / PAGE)))],
    [12, () => near(random, size)],
    [4, () => size + PAGE * random(8)],
    [4, () => SECTOR * random(most / SECTOR)],
    [3, () => 0],
  ])();
  return Math.max(0, Math.min(most - 1, at));
}

function near(random: Random, at: number): number {
  return chance(random, 40) ? at : at + random(9) - 4;
}

/** Bytes of 0 to MAX_BYTES. @param left bytes to the end of the file; may be negative */
function drawLength(random: Random, left: number, most: number): number {
  const length = weighted<() => number>(random, [
    [20, () => 1 + random(16)],
    [25, () => 1 + random(PAGE)],
    [20, () => PAGE * (1 + random(8))],
    [15, () => 1 + random(MAX_BYTES)],
    [10, () => near(random, PAGE * (1 + random(4)))],
    [10, () => near(random, left)],
    [1, () => 0],
  ])();
  return Math.max(0, Math.min(MAX_BYTES, most, length));
}
