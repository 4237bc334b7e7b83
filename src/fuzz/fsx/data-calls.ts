/** Reads and writes, by position, at the descriptor's own, by vectors, by path, round the cache. */
import { bytesFor } from "../pattern.ts";
import type { Exerciser, Open, Perform } from "./exerciser.ts";
import { expectBytes, expectNumber, expectTrue } from "./mismatch.ts";
import type { Operation, OperationName } from "./operation.ts";

const SECTOR = 512;
/** Bytes of a buffer that nobody has written to. */
const UNTOUCHED = 0xa5;
const RWF_NOWAIT = 8;
const SEEK_END = 2;

/** Where a call reads or writes. */
interface Range {
  readonly open: Open;
  /** Byte in the file. */
  readonly at: number;
  readonly length: number;
  /** By the descriptor's own position, which moves. */
  readonly isOwn: boolean;
}

/** Aligned where the descriptor goes round the cache; at its own position if the operation says so. */
function rangeOf(on: Exerciser, open: Open, { at, length, choice }: Operation): Range {
  const isDirect = open.way === "direct" && on.machine.abilities.direct;
  const isOwn = choice % 3 === 1 && !(isDirect && open.position % SECTOR !== 0);
  const from = isOwn ? open.position : at;
  if (!isDirect) return { open, at: from, length, isOwn };
  return { open, at: from - (from % SECTOR), length: Math.max(SECTOR, length - (length % SECTOR)), isOwn };
}

function read(on: Exerciser, operation: Operation): void {
  const { file, by, choice } = operation;
  const { open, at, length, isOwn } = rangeOf(on, on.open(file, by), operation);
  const expected = on.model(file).bytes(at, length);
  const buffer = Buffer.alloc(length, UNTOUCHED);
  const position = isOwn ? null : choice % 3 === 2 ? BigInt(at) : at;
  on.count("read", expected.length, () => on.machine.fs.readSync(open.fd, buffer, 0, length, position));
  expectBytes("read", file, at, buffer.subarray(0, expected.length), expected);
  if (open.way !== "direct") expectUntouched("read", buffer.subarray(expected.length));
  if (isOwn) open.position += expected.length;
}

function expectUntouched(what: string, rest: Uint8Array): void {
  const isUntouched = rest.every((byte) => byte === UNTOUCHED);
  expectTrue(`${what}: the rest of the buffer`, isUntouched, () => "has been written to");
}

/** In three pieces. */
function inPieces(bytes: Buffer): Buffer[] {
  const third = Math.ceil(bytes.length / 3);
  const pieces = [bytes.subarray(0, 1), bytes.subarray(1, third), bytes.subarray(third)];
  return pieces.filter(({ length }) => length > 0);
}

function readv(on: Exerciser, operation: Operation): void {
  const { file, by } = operation;
  const range = rangeOf(on, on.open(file, by), operation);
  const { open, at, isOwn } = range;
  const length = Math.max(1, range.length);
  const expected = on.model(file).bytes(at, length);
  const buffer = Buffer.alloc(length, UNTOUCHED);
  const pieces = open.way === "direct" ? [buffer] : inPieces(buffer);
  on.count("readv", expected.length, () => on.machine.fs.readvSync(open.fd, pieces, isOwn ? undefined : at));
  expectBytes("readv", file, at, buffer.subarray(0, expected.length), expected);
  if (isOwn) open.position += expected.length;
}

/** Without waiting it may be refused, or be short. */
function preadv2(on: Exerciser, operation: Operation): void {
  const { file, by, choice } = operation;
  const range = rangeOf(on, on.open(file, by), { ...operation, choice: 0 });
  const length = Math.max(1, range.length);
  const isNowait = choice % 2 === 1;
  const expected = on.model(file).bytes(range.at, length);
  const buffer = Buffer.alloc(length, UNTOUCHED);
  let nr = 0;
  try {
    nr = on.folio.kernel.preadv2Sync(range.open.fd, [buffer], range.at, isNowait ? RWF_NOWAIT : 0);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (isNowait && (code === "EAGAIN" || code === "EOPNOTSUPP" || code === "ENOTSUP")) return;
    throw error;
  }
  if (!isNowait) expectNumber("preadv2", nr, expected.length);
  expectTrue("preadv2", nr <= expected.length, () => `${nr} bytes of ${expected.length}`);
  expectBytes("preadv2", file, range.at, buffer.subarray(0, nr), expected.subarray(0, nr));
}

/** As many bytes as the file has room for. */
function bytesToWrite(on: Exerciser, { seed }: Operation, at: number, length: number): Buffer {
  return bytesFor(Math.max(0, Math.min(length, on.length - at)), seed);
}

function write(on: Exerciser, operation: Operation): void {
  writeBy(on, operation, "write", (open, bytes, position) =>
    on.machine.fs.writeSync(open.fd, bytes, 0, bytes.length, position),
  );
}

function writev(on: Exerciser, operation: Operation): void {
  writeBy(on, operation, "writev", (open, bytes, position) => {
    const pieces = open.way === "direct" ? [bytes] : inPieces(bytes);
    return on.machine.fs.writevSync(open.fd, pieces, position ?? undefined);
  });
}

/** A buffer of its own begins its memory. */
function wholeSectors(bytes: Buffer): Buffer {
  const whole = Buffer.alloc(bytes.length - (bytes.length % SECTOR));
  whole.set(bytes.subarray(0, whole.length));
  return whole;
}

/** An append moves the descriptor's position to the end that it has made, unless it says where it writes. */
function writeBy(
  on: Exerciser,
  operation: Operation,
  what: string,
  call: (open: Open, bytes: Buffer, position: number | null) => number,
): void {
  const { file, by } = operation;
  const { open, at, length, isOwn } = rangeOf(on, on.writer(file, by), operation);
  const from = open.way === "append" ? on.model(file).size : at;
  const isDirect = open.way === "direct" && on.machine.abilities.direct;
  const bytes = isDirect
    ? wholeSectors(bytesToWrite(on, operation, from, length))
    : bytesToWrite(on, operation, from, length);
  if (bytes.length === 0) return;
  on.count(what, bytes.length, () => call(open, bytes, isOwn ? null : at));
  on.wrote(file, from, bytes);
  if (isDirect) on.apart(file); // its pages leave the cache, whoever has pinned them
  if (isOwn) open.position = from + bytes.length;
}

function readFile(on: Exerciser, { file, by }: Operation): void {
  const bytes = on.call("readFile", () => on.machine.fs.readFileSync(on.path(file, by))) as Uint8Array;
  expectBytes("readFile", file, 0, bytes, on.model(file).all);
}

function writeFile(on: Exerciser, operation: Operation): void {
  const { file, by, length } = operation;
  const bytes = bytesToWrite(on, operation, 0, length);
  on.call("writeFile", () => on.machine.fs.writeFileSync(on.path(file, by), bytes));
  on.truncated(file, 0);
  on.wrote(file, 0, bytes);
}

function appendFile(on: Exerciser, operation: Operation): void {
  const { file, by, length } = operation;
  const { size } = on.model(file);
  const bytes = bytesToWrite(on, operation, size, length);
  on.call("appendFile", () => on.machine.fs.appendFileSync(on.path(file, by), bytes));
  on.wrote(file, size, bytes);
}

function lseek(on: Exerciser, { file, by, at, choice }: Operation): void {
  const open = on.open(file, by);
  const whence = choice % 3;
  const from = whence === SEEK_END ? on.model(file).size : whence === 1 ? open.position : 0;
  const offset = choice % 2 === 0 ? at - from : Math.min(at, on.length - from); // back, too
  const refusal = from + offset < 0 ? "EINVAL" : undefined;
  const position = on.call("lseek", () => on.folio.lseekSync(open.fd, offset, whence), refusal);
  if (position === undefined) return;
  expectNumber("lseek", position, from + offset);
  open.position = from + offset;
}

export const DATA_CALLS = {
  read,
  readv,
  preadv2,
  readFile,
  write,
  writev,
  writeFile,
  appendFile,
  lseek,
} satisfies Partial<Record<OperationName, Perform>>;
