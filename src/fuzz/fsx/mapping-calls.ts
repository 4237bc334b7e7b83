/** Mappings, shared and private, and views of the page cache. */
import { MAP_PRIVATE, MAP_SHARED, MS_ASYNC, MS_SYNC, PROT_READ, PROT_WRITE } from "../../store.ts";
import { bytesFor } from "../pattern.ts";
import type { Exerciser, Mapped, Perform } from "./exerciser.ts";
import { expectBytes, expectNumber, expectTrue } from "./mismatch.ts";
import { NR_MAPPINGS, type Operation, type OperationName } from "./operation.ts";
import { PAGE, PrivatePages } from "./private-pages.ts";

const MAX_VIEWS = 3;
/** Most bytes that one view, one lock, or the copies of one mapping keep in memory: all of them have to find room there. */
const MAX_KEPT_BYTES = 4 * PAGE;
/** What a load or store behind the end of the file, or the mapping, comes to. */
const SIGBUS = "EFAULT";

/** In the place of the mapping that has been there. */
function mmap(on: Exerciser, { file, by, at, length, choice }: Operation): void {
  const slot = by % NR_MAPPINGS;
  unmap(on, slot);
  const isPrivate = choice % 3 === 1;
  const isWritten = choice % 4 !== 3 && (isPrivate || on.machine.abilities.write);
  const offset = at - (at % PAGE);
  const bytes = Math.max(1, Math.min(length, on.length - offset, isPrivate ? MAX_KEPT_BYTES : length));
  const needsWriter = (isWritten && !isPrivate) || on.machine.copiesUp;
  const opened = needsWriter ? on.writer(file, choice) : on.open(file, choice);
  const mapping = on.call(
    "mmap",
    () =>
      on.folio.kernel.mmap(opened.fd, {
        offset,
        length: bytes,
        prot: isWritten ? PROT_READ | PROT_WRITE : PROT_READ,
        flags: isPrivate ? MAP_PRIVATE : MAP_SHARED,
      }),
    on.machine.mapRefusal?.(isWritten && !isPrivate),
  );
  if (mapping === undefined) return;
  const copies = isPrivate ? new PrivatePages() : undefined;
  on.mappings[slot] = { mapping, file, offset, length: bytes, isWritten, copies };
}

function unmap(on: Exerciser, slot: number): void {
  const mapped = on.mappings[slot];
  on.mappings[slot] = undefined;
  mapped?.mapping.munmap();
}

function munmap(on: Exerciser, { by }: Operation): void {
  unmap(on, by % NR_MAPPINGS);
}

/** Bytes of a mapping that an operation is about. */
interface Part {
  readonly mapped: Mapped;
  /** First byte in the mapping, and in the file. */
  readonly at: number;
  readonly pos: number;
  readonly length: number;
  /** As many of them lie on pages that the file has. */
  readonly nrThere: number;
}

/** @returns undefined where nothing is mapped */
function partOf(on: Exerciser, { by, at: wanted, length }: Operation): Part | undefined {
  const mapped = on.mappings[by % NR_MAPPINGS];
  if (mapped === undefined) return undefined;
  const at = wanted % mapped.length;
  const bytes = Math.max(1, Math.min(length, mapped.length - at));
  const pos = mapped.offset + at;
  const end = Math.ceil(on.model(mapped.file).size / PAGE) * PAGE;
  return { mapped, at, pos, length: bytes, nrThere: Math.max(0, Math.min(bytes, end - pos)) };
}

function seenBytes(on: Exerciser, { file, copies }: Mapped, pos: number, length: number): Buffer {
  const model = on.model(file);
  return copies?.bytes(model, pos, length) ?? model.bytes(pos, length);
}

/** Behind the end of the file there are zeros, in what is not the mapping's own. */
function mapRead(on: Exerciser, operation: Operation): void {
  const part = partOf(on, operation);
  if (part === undefined) return;
  const { mapped, at, pos, length, nrThere } = part;
  const buffer = Buffer.alloc(length);
  const nr = on.call(
    "mapRead",
    () => mapped.mapping.copy(buffer, 0, at, at + length),
    nrThere === 0 ? SIGBUS : undefined,
  );
  if (nr === undefined) return;
  expectNumber("mapRead", nr, nrThere);
  const expected = seenBytes(on, mapped, pos, nrThere);
  expectBytes("mapRead", mapped.file, pos, buffer.subarray(0, expected.length), expected);
  if (mapped.copies !== undefined) return;
  const behind = buffer.subarray(expected.length, nrThere);
  expectBytes("mapRead behind the end", mapped.file, pos + expected.length, behind, Buffer.alloc(behind.length));
}

function mapWrite(on: Exerciser, operation: Operation): void {
  const part = partOf(on, operation);
  if (part?.mapped.isWritten !== true) return;
  const { mapped, at, length, nrThere } = part;
  const bytes = bytesFor(length, operation.seed);
  const nr = on.call("mapWrite", () => mapped.mapping.set(bytes, at), nrThere === 0 ? SIGBUS : undefined);
  if (nr === undefined) return;
  expectNumber("mapWrite", nr, nrThere);
  stored(on, part, bytes.subarray(0, nrThere));
}

/** Bytes have been stored. */
function stored(on: Exerciser, { mapped, pos }: Part, bytes: Uint8Array): void {
  const model = on.model(mapped.file);
  if (mapped.copies !== undefined) mapped.copies.write(model, pos, bytes);
  else on.wrote(mapped.file, pos, bytes.subarray(0, Math.max(0, model.size - pos)));
}

/** A view of a mapping: of as many bytes as lie in one run of frames. */
function mapView(on: Exerciser, operation: Operation): void {
  const part = partOf(on, operation);
  if (part === undefined) return;
  const { mapped, at, pos, length } = part;
  const isWrite = mapped.isWritten && operation.choice % 2 === 0;
  const { size } = on.model(mapped.file);
  // Of a private mapping what lies behind the end of the file is the mapping's own, and not followed here.
  const bytes = Math.min(length, size - pos);
  if (bytes <= 0) return;
  const view = on.call("mapView", () => (isWrite ? mapped.mapping.write(at, bytes) : mapped.mapping.read(at, bytes)));
  if (view === undefined) return;
  try {
    expectTrue("mapView", view.length > 0 && view.length <= bytes, () => `${view.length} bytes of ${bytes}`);
    expectBytes("mapView", mapped.file, pos, view.bytes, seenBytes(on, mapped, pos, view.length));
    if (!isWrite) return;
    const fresh = bytesFor(view.length, operation.seed);
    view.bytes.set(fresh);
    stored(on, part, fresh);
  } finally {
    view.release();
  }
}

function msync(on: Exerciser, { by, choice }: Operation): void {
  const mapped = on.mappings[by % NR_MAPPINGS];
  if (mapped === undefined) return;
  const isSync = choice % 2 === 0;
  on.call("msync", () => mapped.mapping.msync(isSync ? MS_SYNC : MS_ASYNC));
  const isWhole = mapped.offset === 0 && mapped.length >= on.model(mapped.file).size;
  if (isSync && isWhole && mapped.copies === undefined) on.compareStored("msync", mapped.file);
}

/** Pages that are brought into memory to stay, where the file has them all; of a private mapping that is written to they are copies. */
function mlock(on: Exerciser, operation: Operation): void {
  const part = partOf(on, operation);
  if (part === undefined || part.nrThere < part.length) return;
  const { mapped, at, pos } = part;
  const length = Math.min(part.length, MAX_KEPT_BYTES);
  on.call("mlock", () => mapped.mapping.mlock(at, length));
  if (mapped.isWritten) mapped.copies?.copy(on.model(mapped.file), pos, length);
  if (operation.choice % 2 === 0) on.call("munlock", () => mapped.mapping.munlock(at, length));
}

function readView(on: Exerciser, operation: Operation): void {
  const view = viewOf(on, operation);
  view?.release();
}

function viewOf(
  on: Exerciser,
  { file, by, at, length }: Operation,
): ReturnType<Exerciser["folio"]["readView"]> | undefined {
  const expected = on.model(file).bytes(at, Math.max(1, length));
  const refusal = on.machine.mapRefusal?.(false);
  const view = on.call("readView", () => on.folio.readView(on.open(file, by).fd, at, Math.max(1, length)), refusal);
  if (view === undefined) return undefined;
  try {
    expectTrue(
      "readView",
      view.length <= expected.length && view.length > 0 === expected.length > 0,
      () => `${view.length} bytes of ${expected.length}`,
    );
    expectBytes("readView", file, at, view.bytes, expected.subarray(0, view.length));
    return view;
  } catch (error) {
    view.release();
    throw error;
  }
}

/** Is kept, so that its frames are pinned while other things are done. */
function holdView(on: Exerciser, operation: Operation): void {
  if (on.views.length === MAX_VIEWS) return;
  const view = viewOf(on, { ...operation, length: Math.min(operation.length, MAX_KEPT_BYTES) });
  if (view !== undefined) on.views.push({ view, file: operation.file, at: operation.at, isApart: false });
}

/** It shows what has been written to the file meanwhile, where its pages are still the file's. */
function releaseView(on: Exerciser, { by }: Operation): void {
  const [held] = on.views.splice(by % Math.max(1, on.views.length), 1);
  if (held === undefined) return;
  const { view, file, at, isApart } = held;
  try {
    if (!isApart) expectBytes("view", file, at, view.bytes, on.model(file).bytes(at, view.length));
  } finally {
    view.release();
  }
}

export const MAPPING_CALLS = {
  mmap,
  munmap,
  mapRead,
  mapWrite,
  mapView,
  msync,
  mlock,
  readView,
  holdView,
  releaseView,
} satisfies Partial<Record<OperationName, Perform>>;
