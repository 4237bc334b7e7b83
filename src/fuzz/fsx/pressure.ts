/** Memory is filled, so that all that is done has to do with little: pages go, are written and come back all the time. */
import type { FolioFs } from "../../index.ts";

const BALLAST = "/ballast";
const CHUNK_BYTES = 64 * 1024;
const PAGE = 4096;

/** Leaves so many bytes of a kernel's memory, about: the rest is a file that never goes. */
export function leaveRoom(fs: FolioFs, bytes: number): void {
  fs.mkdirSync(BALLAST);
  fs.kernel.mount({ type: "ramfs", target: BALLAST });
  const fd = fs.openSync(`${BALLAST}/file`, "w");
  const chunk = Buffer.alloc(CHUNK_BYTES, 0xba);
  let size = 0;
  for (let length = CHUNK_BYTES; length >= PAGE; ) {
    const written = writeWhatFits(fs, fd, chunk.subarray(0, length), size);
    size += written;
    if (written < length) length >>= 1;
  }
  fs.ftruncateSync(fd, Math.max(0, size - bytes));
  fs.closeSync(fd);
}

function writeWhatFits(fs: FolioFs, fd: number, bytes: Uint8Array, position: number): number {
  try {
    return fs.writeSync(fd, bytes, 0, bytes.length, position);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return 0;
    throw error;
  }
}
