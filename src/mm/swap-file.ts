/**
 * A file of the host as a swap device, in Node.
 *
 * Its calls are synchronous: what needs a page waits for no more than the host. It stays when the area is turned off; what is in it then
 * is of no use.
 */
import { EBUSY, EINVAL, EIO, ENOSYS } from "../base/errno.ts";
import { PAGE_SIZE } from "../wasm/layout.ts";
import { MAX_SLOTS } from "./swap-area.ts";
import { claimedFiles } from "./swap-claims.ts";
import type { SwapDevice, SwapIo } from "./swap-device.ts";

/** A file of the host to swap to. */
export interface SwapFileOptions {
  /** Its path on the host. */
  file: string;
  /** Bytes it is to have: it is made if it is missing, and as large as this. Left out: it is there, and as large as it is. */
  size?: number;
}

/** What is used of node:fs. */
interface HostFs {
  readonly constants: { readonly O_RDWR: number; readonly O_CREAT: number };
  openSync(path: string, flags: number, mode: number): number;
  fstatSync(fd: number, options: { bigint: true }): { dev: bigint; ino: bigint; size: bigint; isFile(): boolean };
  ftruncateSync(fd: number, size: number): void;
  readvSync(fd: number, views: readonly Uint8Array[], position: number): number;
  writevSync(fd: number, views: readonly Uint8Array[], position: number): number;
  closeSync(fd: number): void;
}

const { process } = globalThis as { process?: { getBuiltinModule?(id: string): unknown } };

class SwapFile implements SwapDevice {
  readonly #fs: HostFs;
  readonly #fd: number;
  readonly #id: string;
  readonly name: string;
  readonly type = "file";
  readonly nrPages: number;

  constructor(fs: HostFs, fd: number, name: string, id: string, nrPages: number) {
    this.#fs = fs;
    this.#fd = fd;
    this.#id = id;
    this.name = name;
    this.nrPages = nrPages;
  }

  readPages(io: SwapIo): number {
    return Math.floor(this.#move("readvSync", io) / PAGE_SIZE);
  }

  writePages(io: SwapIo): number {
    const bytes = this.#move("writevSync", io);
    return bytes < PAGE_SIZE ? -EIO : Math.floor(bytes / PAGE_SIZE);
  }

  /** The host may do less at a time than it is asked for. @returns bytes */
  #move(call: "readvSync" | "writevSync", io: SwapIo): number {
    const length = io.nrPages * PAGE_SIZE;
    let done = 0;
    while (done < length) {
      const n = this.#fs[call](this.#fd, behind(io.views(), done), io.slot * PAGE_SIZE + done);
      if (n <= 0) break;
      done += n;
    }
    return done;
  }

  close(): void {
    claimedFiles.delete(this.#id);
    this.#fs.closeSync(this.#fd);
  }
}

/** What is left of arrays behind their first bytes. */
function behind(views: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes;
  return views.flatMap((view) => {
    const from = Math.min(skip, view.length);
    skip -= from;
    return from === view.length ? [] : [view.subarray(from)];
  });
}

/**
 * @returns the device; -EINVAL for what is no regular file, for a size of less than a page or more than an area can have; -EBUSY for a
 *   file that is an area; -ENOSYS outside of Node; why it cannot be opened
 */
export function openSwapFile({ file, size }: SwapFileOptions): SwapDevice | number {
  const fs = process?.getBuiltinModule?.("node:fs") as HostFs | undefined;
  if (fs === undefined) return -ENOSYS;
  if (size !== undefined && !(Number.isSafeInteger(size) && size >= PAGE_SIZE && size <= MAX_SLOTS * PAGE_SIZE))
    return -EINVAL;
  try {
    const { O_RDWR, O_CREAT } = fs.constants;
    const fd = fs.openSync(file, size === undefined ? O_RDWR : O_RDWR | O_CREAT, 0o600);
    let device: SwapDevice | number = -EIO;
    try {
      device = useFile(fs, fd, file, size);
    } finally {
      if (typeof device === "number") fs.closeSync(fd);
    }
    return device;
  } catch (error) {
    const { errno } = error as { errno?: number };
    return errno !== undefined && errno < 0 ? errno : -EIO;
  }
}

/** Makes the file as large as it is to be: not that of another area, whose pages would be cut off. */
function useFile(fs: HostFs, fd: number, name: string, size: number | undefined): SwapDevice | number {
  const stat = fs.fstatSync(fd, { bigint: true });
  const nrPages = Math.floor((size ?? Number(stat.size)) / PAGE_SIZE);
  if (!stat.isFile() || nrPages === 0) return -EINVAL;
  const id = `${stat.dev}:${stat.ino}`;
  if (claimedFiles.has(id)) return -EBUSY;
  if (size !== undefined) fs.ftruncateSync(fd, size);
  claimedFiles.add(id);
  return new SwapFile(fs, fd, name, id, nrPages);
}
