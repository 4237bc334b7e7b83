/** A mock store with one file in it, mounted, open to read: what tests of stored files start with. */
import { createFsSync, type FileHandle, type FolioFs, Inode, type InodeHandle, type Kernel } from "../../src/index.ts";
import { type MockOptions, MockStore } from "./mock-store.ts";

export interface Scene {
  fs: FolioFs;
  kernel: Kernel;
  store: MockStore;
  /** What the store has of the file. */
  data: Buffer;
  fd: number;
  file: FileHandle;
  inode: InodeHandle;
}

/** @param length bytes of the file, of which none is 0 */
export function storeScene(length: number, options: MockOptions = {}): Scene {
  const store = new MockStore(options);
  const data = Buffer.from(Uint8Array.from({ length }, (_, i) => 1 + ((i * 7 + (i >> 12) * 31) % 250)));
  store.files.set("file", data);
  const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [store.type] });
  fs.mkdirSync("/m");
  fs.kernel.mount({ type: "mockfs", target: "/m" });
  const fd = fs.openSync("/m/file", "r");
  const kernel = fs.kernel.vfs;
  const file = fileOf(kernel, fd);
  return { fs, kernel, store, data, fd, file, inode: Inode.ofFile(kernel, file).handle };
}

/** The open file of a descriptor of the kernel's first task. */
export function fileOf(kernel: Kernel, fd: number): FileHandle {
  return kernel.tasks().next().value?.file(fd) as FileHandle;
}

/** The inode of a descriptor of the kernel's first task. */
export function inodeOf(kernel: Kernel, fd: number): InodeHandle {
  return Inode.ofFile(kernel, fileOf(kernel, fd)).handle;
}

/** Reads at once. */
export function pread({ fs, fd }: Scene, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, fs.readSync(fd, buffer, 0, length, position));
}

/** Reads by the callback form, which waits for the store. */
export function preadLater({ fs, fd }: Scene, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  return new Promise((resolve, reject) =>
    fs.read(fd, buffer, 0, length, position, (error, n) => (error ? reject(error) : resolve(buffer.subarray(0, n)))),
  );
}

/** Indexes of the pages of the file that are cached, of the first 200. */
export function cachedIndexes({ kernel, inode }: Scene): number[] {
  return Array.from({ length: 200 }, (_, index) => index).filter((index) => kernel.core.x.findPage(inode, index) !== 0);
}

/** Has the store answer, turn by turn, until `promise` settles. */
export async function answering<T>({ store }: Scene, promise: Promise<T>): Promise<T> {
  let isOver = false;
  const over = (): void => void (isOver = true);
  promise.then(over, over);
  for (let turn = 0; !isOver && turn < 10_000; turn++) {
    await store.answerAll();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return promise;
}
