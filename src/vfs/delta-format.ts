/**
 * The form of a delta in bytes: what its writer (snapshot-delta.ts) and its reader (join-deltas.ts) both know. It says how a snapshot
 * (snapshot-format.ts) is made of an older one, its base.
 *
 *   | header, 64 bytes | head of the snapshot: its header, meta, extents | runs, 12 bytes each | what runs bring |
 *
 *   header   0 magic "FOLIODT\0"      8 format version   12 layout hash    16 length of all (f64)
 *           24 length of the base (f64)                  32 its checksum (2 × u32)
 *           40 bytes of the head      44 nr of runs      48 0 (2 × u32)
 *           56 checksum of all the other bytes (2 × u32)
 *   run      what, how many, first unit of the base (snapshot-units.ts)
 *
 *   what     0 units of the base as they are
 *            1 units that the delta brings: how many bytes, by 8
 *            2 units of the base with other blocks of 64 bytes: of each a word of 64 bits says which, and those follow; stored as they are
 *            3 the same, stored without their zeros
 *
 * The checksum of the base says which one it is, and that of the head says whether what has come of both is right.
 */
import { byteLengthOf, partOf } from "../base/views.ts";
import { LAYOUT_HASH } from "../wasm/layout.ts";
import { SnapshotError } from "./snapshot-error.ts";
import { checksumOf, HEADER_BYTES, SUM_AT, viewOf } from "./snapshot-format.ts";

export const DELTA_MAGIC = "FOLIODT\0";
/** Version of the form above; another one is refused. */
export const DELTA_VERSION = 1;
export const RUN_BYTES = 12;

/** Of a run: what it is. */
export const KEPT = 0;
export const BROUGHT = 1;
export const CHANGED_WHOLE = 2;
export const CHANGED_SPARSE = 3;
/** Bytes that are brought are counted by these: all units have a multiple. */
export const BROUGHT_UNIT_BYTES = 8;

const BASE_LENGTH_AT = 24;
const BASE_SUM_AT = 32;
const HEAD_BYTES_AT = 40;
const NR_RUNS_AT = 44;

/** Units of a snapshot that follow each other and come from one source. */
export interface Run {
  what: number;
  nr: number;
  /** First unit of the base; 0 where it has no part. */
  first: number;
}

/** A delta, taken apart. */
export interface Delta {
  head: Uint8Array;
  runs: Run[];
  /** What runs bring. */
  brought: Uint8Array;
}

/** Writes a delta. @param base the bytes of the snapshot that it is since */
export function writeDelta(
  base: Uint8Array,
  { head, runs }: Pick<Delta, "head" | "runs">,
  brought: readonly Uint8Array[],
  module: WebAssembly.Module,
  shared: boolean,
): Uint8Array {
  const start = HEADER_BYTES + head.length + runs.length * RUN_BYTES;
  const bytes = new Uint8Array(brought.reduce((sum, { length }) => sum + length, start));
  const view = viewOf(bytes);
  for (let i = 0; i < DELTA_MAGIC.length; i++) bytes[i] = DELTA_MAGIC.charCodeAt(i);
  view.setUint32(8, DELTA_VERSION, true);
  view.setUint32(12, LAYOUT_HASH, true);
  view.setFloat64(16, bytes.length, true);
  view.setFloat64(BASE_LENGTH_AT, base.length, true);
  bytes.set(base.subarray(SUM_AT, SUM_AT + 8), BASE_SUM_AT);
  view.setUint32(HEAD_BYTES_AT, head.length, true);
  view.setUint32(NR_RUNS_AT, runs.length, true);
  bytes.set(head, HEADER_BYTES);
  let at = HEADER_BYTES + head.length;
  for (const { what, nr, first } of runs) {
    view.setUint32(at, what, true);
    view.setUint32(at + 4, nr, true);
    view.setUint32(at + 8, first, true);
    at += RUN_BYTES;
  }
  for (const piece of brought) {
    bytes.set(piece, at);
    at += piece.length;
  }
  const [low, high] = checksumOf(module, shared, bytes);
  view.setUint32(SUM_AT, low, true);
  view.setUint32(SUM_AT + 4, high, true);
  return bytes;
}

/**
 * Takes a delta apart.
 *
 * @param base the bytes of the snapshot that it is to be since
 * @throws SnapshotError when the bytes are damaged, of another version, no delta at all, or since another snapshot
 */
export function readDelta(given: Uint8Array, base: Uint8Array, module: WebAssembly.Module, shared: boolean): Delta {
  const bytes = partOf(given, 0, byteLengthOf(given));
  checkBytes(bytes, module, shared);
  if (!isSince(bytes, base)) throw new SnapshotError("this delta is since another snapshot than what stands before it");
  const delta = splitDelta(bytes);
  if (delta === undefined) throw new SnapshotError("this delta has parts that are longer than it is");
  return delta;
}

/** Is a delta since a snapshot? @param bytes HEADER_BYTES at least */
export function isSince(bytes: Uint8Array, base: Uint8Array): boolean {
  const isSame = base.subarray(SUM_AT, SUM_AT + 8).every((byte, i) => byte === bytes[BASE_SUM_AT + i]);
  return isSame && viewOf(bytes).getFloat64(BASE_LENGTH_AT, true) === base.length;
}

/** The parts of a delta. @param bytes HEADER_BYTES at least @returns undefined when they are longer than it is */
export function splitDelta(bytes: Uint8Array): Delta | undefined {
  const view = viewOf(bytes);
  const runsAt = HEADER_BYTES + view.getUint32(HEAD_BYTES_AT, true);
  const nrRuns = view.getUint32(NR_RUNS_AT, true);
  const end = runsAt + nrRuns * RUN_BYTES;
  if (end > bytes.length) return undefined;
  return {
    head: bytes.subarray(HEADER_BYTES, runsAt),
    runs: Array.from({ length: nrRuns }, (_, i) => readRun(view, runsAt + i * RUN_BYTES)),
    brought: bytes.subarray(end),
  };
}

function readRun(view: DataView, at: number): Run {
  return {
    what: view.getUint32(at, true),
    nr: view.getUint32(at + 4, true),
    first: view.getUint32(at + 8, true),
  };
}

/** Are the bytes those of a delta, all of them and as they were? @throws SnapshotError that says what is wrong */
function checkBytes(bytes: Uint8Array, module: WebAssembly.Module, shared: boolean): void {
  const view = viewOf(bytes);
  if (bytes.length < HEADER_BYTES || [...DELTA_MAGIC].some((c, i) => bytes[i] !== c.charCodeAt(0)))
    throw new SnapshotError("these bytes are no delta");
  const version = view.getUint32(8, true);
  if (version !== DELTA_VERSION)
    throw new SnapshotError(`this delta has format version ${version}, this foliofs reads version ${DELTA_VERSION}`);
  if (view.getUint32(12, true) !== LAYOUT_HASH)
    throw new SnapshotError("this delta was made by a foliofs with another memory layout");
  if (view.getFloat64(16, true) !== bytes.length)
    throw new SnapshotError(`this delta should have ${view.getFloat64(16, true)} bytes and has ${bytes.length}`);
  const [low, high] = checksumOf(module, shared, bytes);
  if (low !== view.getUint32(SUM_AT, true) || high !== view.getUint32(SUM_AT + 4, true))
    throw new SnapshotError("this delta is damaged: its checksum differs");
}
