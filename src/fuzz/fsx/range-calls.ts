/** Sizes, holes, copies and clones, what is data, what is at the store, advice, names. */
import { syncFileRange } from "../../store.ts";
import type { Exerciser, Perform } from "./exerciser.ts";
import { expectBytes, expectNumber, expectTrue, Mismatch } from "./mismatch.ts";
import type { Operation, OperationName } from "./operation.ts";
import { PAGE } from "./private-pages.ts";
import { READER, SECOND } from "./ways.ts";

const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
const FALLOC_FL_COLLAPSE_RANGE = 8;
const FALLOC_FL_ZERO_RANGE = 0x10;
const FALLOC_FL_INSERT_RANGE = 0x20;
/** By the choice of an operation. */
const FALLOCATE_MODES = [
  0,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_ZERO_RANGE,
  FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_ZERO_RANGE,
];
const SEEK_SET = 0;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const NR_ADVICE = 6;
/** All that sync_file_range() can do: afterwards the range is at the store. */
const SYNC_AND_WAIT = 7;
const NOT_SUPPORTED = "ENOTSUP";

// --- Sizes ----------------------------------------------------------------------------------------------------------------

function truncate(on: Exerciser, { file, by, length }: Operation): void {
  const done = on.call("truncate", () => {
    on.machine.fs.truncateSync(on.path(file, by), length);
    return true;
  });
  if (done) on.truncated(file, length);
}

function ftruncate(on: Exerciser, { file, by, length }: Operation): void {
  const done = on.call("ftruncate", () => {
    on.machine.fs.ftruncateSync(on.writer(file, by).fd, length);
    return true;
  });
  if (done) on.truncated(file, length);
}

// --- fallocate ------------------------------------------------------------------------------------------------------------

function fallocate(on: Exerciser, operation: Operation): void {
  const { file, by, choice } = operation;
  const mode = FALLOCATE_MODES[choice % FALLOCATE_MODES.length];
  const moves = mode === FALLOC_FL_COLLAPSE_RANGE || mode === FALLOC_FL_INSERT_RANGE;
  const range = moves ? wholePages(operation) : withinLength(on, operation);
  const refusal = fallocateRefusal(on, file, mode, range);
  if (refusal === "skip") return;
  const done = on.call(
    `fallocate ${mode}`,
    () => {
      on.folio.fallocateSync(on.writer(file, by).fd, mode, range.at, range.length);
      return true;
    },
    refusal,
  );
  if (done) allocated(on, file, mode, range);
}

interface Range {
  readonly at: number;
  readonly length: number;
}

function wholePages({ at, length }: Operation): Range {
  return { at: at - (at % PAGE), length: Math.max(PAGE, length - (length % PAGE)) };
}

function withinLength(on: Exerciser, { at, length }: Operation): Range {
  return { at, length: Math.max(1, Math.min(length, on.length - at)) };
}

/** @returns "skip" where the file would become too long for the model @see fallocate(2) */
function fallocateRefusal(on: Exerciser, file: number, mode: number, { at, length }: Range): string | undefined {
  const { size } = on.model(file);
  const can = on.machine.abilities.fallocate;
  const moves = mode === FALLOC_FL_COLLAPSE_RANGE || mode === FALLOC_FL_INSERT_RANGE;
  if (can === "none" || (moves && can !== "all")) return NOT_SUPPORTED;
  if (mode === FALLOC_FL_COLLAPSE_RANGE) return at + length >= size ? "EINVAL" : undefined;
  if (mode !== FALLOC_FL_INSERT_RANGE) return undefined;
  if (at >= size) return "EINVAL";
  return size + length > on.length ? "skip" : undefined;
}

function allocated(on: Exerciser, file: number, mode: number, { at, length }: Range): void {
  const model = on.model(file);
  on.touch(file, at, mode === FALLOC_FL_COLLAPSE_RANGE || mode === FALLOC_FL_INSERT_RANGE ? on.length : at + length);
  if (mode !== 0 && mode !== FALLOC_FL_KEEP_SIZE) on.apart(file);
  if (mode === FALLOC_FL_COLLAPSE_RANGE) {
    model.collapse(at, length);
    on.cut(file);
  } else if (mode === FALLOC_FL_INSERT_RANGE) model.insert(at, length);
  else if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) model.zero(at, at + length);
  if (mode === 0 || mode === FALLOC_FL_ZERO_RANGE) model.grow(at + length);
}

// --- Copies and clones ----------------------------------------------------------------------------------------------------

/** To itself it does nothing. */
function copyFile(on: Exerciser, { file, other, by, choice }: Operation): void {
  const { fs, abilities, folio } = on.machine;
  const { COPYFILE_FICLONE, COPYFILE_FICLONE_FORCE } = fs.constants;
  const mode = [0, COPYFILE_FICLONE, folio === undefined ? 0 : COPYFILE_FICLONE_FORCE][choice % 3];
  const isRefused = mode === COPYFILE_FICLONE_FORCE && !abilities.clone && file !== other;
  const copy = (): boolean => {
    fs.copyFileSync(on.path(file, by), on.path(other, by >> 1), mode);
    return true;
  };
  // Whether it is refused before or after the other file has been emptied is not said: no such call then.
  if (isRefused || on.call("copyFile", copy) !== true || file === other) return;
  const bytes = Buffer.from(on.model(file).all);
  on.truncated(other, 0);
  on.wrote(other, 0, bytes);
}

/** By positions, or at those of the descriptors. */
function copyFileRange(on: Exerciser, { file, other, at, to, length, choice }: Operation): void {
  const [source, sink] = [on.open(file, READER), on.writer(other, SECOND)];
  const isOwn = choice % 4 === 1;
  const [posIn, posOut] = isOwn ? [source.position, sink.position] : [at, to];
  const wanted = Math.min(length, on.length - posOut);
  if (wanted <= 0) return;
  const bytes = Buffer.from(on.model(file).bytes(posIn, wanted));
  const overlaps = file === other && posIn < posOut + bytes.length && posOut < posIn + bytes.length;
  const nr = on.call(
    "copyFileRange",
    () => on.folio.copyFileRangeSync(source.fd, isOwn ? null : posIn, sink.fd, isOwn ? null : posOut, wanted),
    overlaps ? "EINVAL" : undefined,
  );
  if (nr === undefined) return;
  // It may be short where pages are in a swap area, but not come to nothing.
  if (!on.machine.copiesShort || nr === 0 || nr > bytes.length) expectNumber("copyFileRange", nr, bytes.length);
  on.wrote(other, posOut, bytes.subarray(0, nr));
  if (!isOwn) return;
  source.position += nr;
  sink.position += nr;
}

function ficlone(on: Exerciser, { file, other }: Operation): void {
  clone(on, "ficlone", { file, other, posIn: 0, posOut: 0, wanted: 0 });
}

function ficlonerange(on: Exerciser, { file, other, at, to, length, choice }: Operation): void {
  const wanted = choice % 4 === 0 ? 0 : Math.ceil(length / PAGE) * PAGE;
  const isUnaligned = choice === 11;
  const [posIn, posOut] = isUnaligned ? [at, to] : [at - (at % PAGE), to - (to % PAGE)];
  clone(on, "ficlonerange", { file, other, posIn, posOut, wanted });
}

interface Cloning {
  readonly file: number;
  readonly other: number;
  readonly posIn: number;
  readonly posOut: number;
  /** 0 = to the end of the file. */
  readonly wanted: number;
}

function clone(on: Exerciser, what: "ficlone" | "ficlonerange", cloning: Cloning): void {
  const { file, other, posIn, posOut, wanted } = cloning;
  const { size } = on.model(file);
  const length = Math.min(wanted || size, Math.max(0, size - posIn));
  if (posOut + length > on.length) return;
  const refusal = on.machine.abilities.clone ? cloneRefusal(on, cloning) : NOT_SUPPORTED;
  const [dest, src] = [on.writer(other, SECOND).fd, on.open(file, READER).fd];
  const { ficloneSync, ficlonerangeSync } = on.folio.kernel.linux;
  const call = (): boolean => {
    if (what === "ficlone") ficloneSync(dest, src);
    else ficlonerangeSync(dest, src, { srcOffset: posIn, srcLength: wanted, destOffset: posOut });
    return true;
  };
  if (on.call(what, call, refusal) !== true || length === 0) return;
  on.wrote(other, posOut, Buffer.from(on.model(file).bytes(posIn, length)));
  on.apart(other);
  on.apart(file);
}

/** @see ioctl_ficlonerange(2), as XFS does it */
function cloneRefusal(on: Exerciser, { file, other, posIn, posOut, wanted }: Cloning): string | undefined {
  const { size } = on.model(file);
  if (wanted === 0 && posIn === size) return undefined;
  const length = wanted || size - posIn;
  if (posIn % PAGE !== 0 || posOut % PAGE !== 0 || posIn >= size) return "EINVAL";
  const count = Math.min(length, size - posIn);
  const isToEnd = posIn + count === size;
  const taken = isToEnd ? Math.ceil(size / PAGE) * PAGE - posIn : count - (count % PAGE);
  if (file === other && posOut + taken > posIn && posOut < posIn + taken) return "EINVAL";
  if ((isToEnd ? count : count - (count % PAGE)) !== length) return "EINVAL";
  const endsWithin = posOut + length < on.model(other).size;
  return endsWithin && length % PAGE !== 0 ? "EINVAL" : undefined;
}

// --- What is data ---------------------------------------------------------------------------------------------------------

const MAX_EXTENTS = 64;

/**
 * From a byte on to the end: what is told to be a hole is zeros, extents follow each other, and end with the file. Where data may be
 * zeros, too, nothing is said.
 */
function seekExtents(on: Exerciser, { file, by, at }: Operation): void {
  const open = on.open(file, by);
  const model = on.model(file);
  let from = at;
  for (let nr = 0; nr < MAX_EXTENTS; nr++) {
    const data = seek(on, open.fd, from, SEEK_DATA);
    const isHole = model.bytes(from, (data ?? model.size) - from).every((byte) => byte === 0);
    expectTrue("SEEK_DATA", isHole, () => `${data ?? "no data"} from ${from} on, but there are bytes before`);
    const hole = seek(on, open.fd, data ?? from, SEEK_HOLE);
    if (data === undefined) {
      expectTrue(
        "SEEK_HOLE",
        hole === (from < model.size ? from : undefined),
        () => `${hole} at ${from}, no data there`,
      );
      break;
    }
    expectTrue("SEEK_DATA", data >= from && data < model.size, () => `${data} from ${from} on`);
    expectTrue(
      "SEEK_HOLE",
      hole !== undefined && hole > data && hole <= model.size,
      () => `${hole} from ${data} on, where data begins; size ${model.size}`,
    );
    from = hole as number;
    if (from === model.size) break;
  }
  on.call("lseek", () => on.folio.lseekSync(open.fd, open.position, SEEK_SET));
}

/** @returns undefined where there is none */
function seek(on: Exerciser, fd: number, offset: number, whence: number): number | undefined {
  try {
    return on.folio.lseekSync(fd, offset, whence);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENXIO") return undefined;
    throw error;
  }
}

// --- The store ------------------------------------------------------------------------------------------------------------

function fsync(on: Exerciser, { file, by }: Operation): void {
  on.call("fsync", () => on.machine.fs.fsyncSync(on.open(file, by).fd));
  on.compareStored("fsync", file);
}

function fdatasync(on: Exerciser, { file, by }: Operation): void {
  on.call("fdatasync", () => on.machine.fs.fdatasyncSync(on.open(file, by).fd));
  on.compareStored("fdatasync", file);
}

function sync(on: Exerciser): void {
  on.call("sync", () => on.folio.kernel.sync());
  for (const file of on.models.keys()) on.compareStored("sync", file);
}

/** The range alone is at the store then, and not the size. */
function syncRange(on: Exerciser, { file, by, at, length }: Operation): void {
  const { kernel } = on.folio;
  const task = kernel.taskOf();
  task.enter();
  const handle = task.file(on.open(file, by).fd);
  const rc = syncFileRange(kernel.vfs, handle, at, length, SYNC_AND_WAIT);
  if (rc < 0) throw new Mismatch({ kind: `syncFileRange ${rc}`, message: `syncFileRange: ${rc}` });
  const expected = on.model(file).bytes(at, length === 0 ? on.length : length);
  const stored = Buffer.alloc(expected.length);
  stored.set(on.machine.stored?.(file).subarray(at, at + expected.length) ?? expected);
  expectBytes("syncFileRange, at the store", file, at, stored, expected);
}

function fadvise(on: Exerciser, { file, by, at, length, choice }: Operation): void {
  on.call("fadvise", () => on.folio.kernel.fadviseSync(on.open(file, by).fd, at, length, choice % NR_ADVICE));
}

// --- Names ----------------------------------------------------------------------------------------------------------------

/** The second name goes and comes back, by two ways. */
function rename(on: Exerciser, { file, choice }: Operation): void {
  const { fs } = on.machine;
  const [first, second] = on.machine.names(file);
  on.call("rename", () => {
    if (choice % 2 === 0) {
      fs.renameSync(second, `${second}.new`);
      fs.renameSync(`${second}.new`, second);
    } else {
      fs.unlinkSync(second);
      fs.linkSync(first, second);
    }
  });
}

function stat(on: Exerciser, { file }: Operation): void {
  const names = on.machine.names(file);
  for (const name of names) {
    const found = on.call("stat", () => on.machine.fs.statSync(name));
    if (found === undefined) continue;
    expectNumber("stat: size", found.size, on.model(file).size);
    if (on.machine.abilities.secondName) expectNumber("stat: nlink", found.nlink, names.length);
  }
}

function compare(on: Exerciser): void {
  on.compareAll("compare");
}

export const RANGE_CALLS = {
  truncate,
  ftruncate,
  fallocate,
  copyFile,
  copyFileRange,
  ficlone,
  ficlonerange,
  seekExtents,
  fsync,
  fdatasync,
  sync,
  syncFileRange: syncRange,
  fadvise,
  rename,
  stat,
  compare,
} satisfies Partial<Record<OperationName, Perform>>;
