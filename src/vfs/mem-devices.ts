/**
 * Character devices that need no hardware: null, zero, full, random, urandom (major 1).
 *
 * @see Linux drivers/char/mem.c; null(4), full(4), random(4)
 */
import { EBADF, ENOSPC } from "../base/errno.ts";
import type { FileHandle } from "../base/handles.ts";
import { FILE_MODE, FMODE_READ, FMODE_WRITE } from "../wasm/layout.ts";
import type { FileOperations } from "./fs-type.ts";
import type { Kernel } from "./kernel.ts";

/** Name of the type of file system that brings the devices with it. */
export const DEVTMPFS = "devtmpfs";

/** What a device does. */
interface MemDevice {
  readonly name: string;
  /** Fills the bytes that are read, all of them. Missing: there are none. */
  read?(target: Uint8Array): void;
  /** What a write answers; missing: it takes all. */
  readonly writeError?: number;
}

/** Most bytes that a platform gives at once. */
const RANDOM_BYTES = 65_536;

function fillRandom(target: Uint8Array): void {
  const bytes = new Uint8Array(Math.min(target.length, RANDOM_BYTES)); // platforms refuse shared memory
  for (let at = 0; at < target.length; at += RANDOM_BYTES) {
    globalThis.crypto.getRandomValues(bytes);
    target.set(bytes.subarray(0, target.length - at), at);
  }
}

const zeros = (target: Uint8Array): void => void target.fill(0);

/** By minor number. */
const DEVICES: ReadonlyMap<number, MemDevice> = new Map([
  [3, { name: "null" }],
  [5, { name: "zero", read: zeros }],
  [7, { name: "full", read: zeros, writeError: -ENOSPC }],
  [8, { name: "random", read: fillRandom }],
  [9, { name: "urandom", read: fillRandom }],
]);

const MEM_MAJOR = 1;
/** Device number of a minor below 256. */
const devOf = (minor: number): number => (MEM_MAJOR << 8) | minor;

/** Names and numbers, as they stand in a devtmpfs. */
export const memDevices: readonly { name: string; dev: number }[] = [...DEVICES].map(([minor, { name }]) => ({
  name,
  dev: devOf(minor),
}));

function isOpenFor({ core: { u32 } }: Kernel, file: FileHandle, mode: number): boolean {
  return (u32[(file << 3) + FILE_MODE] & mode) !== 0;
}

function operationsOf({ read, writeError }: MemDevice): FileOperations {
  return {
    read(kernel, file, buffer, offset, length) {
      if (!isOpenFor(kernel, file, FMODE_READ)) return -EBADF;
      read?.(buffer.subarray(offset, offset + length));
      return read === undefined ? 0 : length;
    },
    write(kernel, file, _buffer, _offset, length) {
      if (!isOpenFor(kernel, file, FMODE_WRITE)) return -EBADF;
      return writeError ?? length;
    },
  };
}

const operations = new Map([...DEVICES].map(([minor, device]) => [devOf(minor), operationsOf(device)]));

/** What an open device of that number can do; undefined = there is no such device. */
export function memDeviceOperations(dev: number): FileOperations | undefined {
  return operations.get(dev);
}
