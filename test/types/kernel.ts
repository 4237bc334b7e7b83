/**
 * What the compiler must know of a kernel: `npx tsc --noEmit` is the test.
 */
import type { BigIntStats, Stats } from "node:fs";
import type {
  FileSystemInfo,
  FileSystemType,
  FlockHeld,
  FolioFs,
  FolioKernel,
  Mapping,
  MountHandle,
  PageView,
} from "../../src/index.ts";
import { restoreFs, restoreFsSync } from "../../src/index.ts";
import {
  AT_FDCWD,
  F_GETLK,
  F_RDLCK,
  freeze,
  freezeAsync,
  kernMount,
  kernUmount,
  MAP_SHARED,
  PROT_READ,
  type StatFsInfo,
  statfs,
  type TaskIo,
  taskIo,
  thaw,
} from "../../src/store.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

function isExactly<Expected>() {
  return <Actual>(_value: Actual, ..._same: Equal<Actual, Expected> extends true ? [] : [never]): void => {};
}

declare const kernel: FolioKernel;
declare const type: FileSystemType;
declare const fs: FolioFs;

export async function checkKernel(): Promise<void> {
  isExactly<void>()(kernel.umount("/m", { detach: true, force: true, expire: true, noFollow: true }));
  isExactly<void>()(kernel.umount2("/m", 2));
  isExactly<MountHandle>()(kernMount(kernel, type, "mode=700"));
  isExactly<FileSystemInfo[]>()(kernel.fileSystems());
  isExactly<StatFsInfo>()(statfs(kernel, "/"));
  isExactly<[number, number]>()(statfs(kernel, "/").fsid);
  isExactly<void>()(freeze(kernel, "/"));
  isExactly<void>()(await freezeAsync(kernel, "/"));
  isExactly<void>()(thaw(kernel, "/"));
  isExactly<TaskIo>()(taskIo(kernel));
  isExactly<Mapping>()(kernel.mmap(3, { prot: PROT_READ, flags: MAP_SHARED }));
  isExactly<Promise<number>>()(kernel.mmap({ fd: 3 }).setAsync(new DataView(new ArrayBuffer(1)), 4096));
  isExactly<PageView>()(fs.readView(3, 0, 4096));
  isExactly<Promise<PageView>>()(fs.readViewAsync(await fs.promises.open("/f")));
  isExactly<Buffer<ArrayBuffer>>()(kernel.linux.getxattrSync("/f", "user.a"));
  isExactly<Promise<void>>()(kernel.linux.setxattr(new URL("file:///f"), "user.a", Buffer.of(1), 1));
  isExactly<(string | Buffer<ArrayBuffer>)[]>()(kernel.linux.flistxattrSync(await fs.promises.open("/f"), "buffer"));
  isExactly<Promise<void>>()(kernel.linux.flock(3, 2));
  isExactly<FlockHeld | undefined>()(kernel.linux.fcntlSync(3, F_GETLK, { type: F_RDLCK, length: 1 }));
  isExactly<Promise<number>>()(kernel.linux.openat(AT_FDCWD, "f", "wx"));
  isExactly<Stats | BigIntStats>()(kernel.linux.fstatatSync(3, "f"));
  isExactly<Uint8Array>()(
    kernel.snapshot({ since: [kernel.snapshot(), kernel.snapshot({ since: new Uint8Array(1) })] }),
  );
  isExactly<FolioFs>()(restoreFsSync([new Uint8Array(1), Buffer.of(1)], { umask: 0 }));
  isExactly<Promise<FolioFs>>()(restoreFs([new Uint8Array(1)]));
  isExactly<void>()(kernel.restore([new Uint8Array(1)]));
  isExactly<string>()((await kernel.diffAsync("/a", Buffer.from("/b")))[0].path);
  isExactly<Buffer<ArrayBuffer>>()((await kernel.diffAsync("/a", "/b", { encoding: "buffer" }))[0].path);
  // @ts-expect-error there is no such option
  kernel.snapshot({ from: new Uint8Array(1) });
  // @ts-expect-error bytes, not their text
  kernel.restore(["base"]);
  // @ts-expect-error a lock has a type
  kernel.linux.fcntlSync(3, F_GETLK, { start: 1 });
  // @ts-expect-error there is no such option
  kernel.mmap(3, { address: 0 });
  // @ts-expect-error there is no such option
  kernel.umount("/m", { lazy: true });
  // @ts-expect-error a number is no mount
  kernUmount(kernel, 1);
}
