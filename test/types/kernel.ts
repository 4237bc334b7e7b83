/**
 * What the compiler must know of a kernel: `npx tsc --noEmit` is the test.
 */
import type {
  FileSystemInfo,
  FileSystemType,
  FolioFs,
  FolioKernel,
  Mapping,
  MountHandle,
  PageView,
} from "../../src/index.ts";
import {
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
  // @ts-expect-error there is no such option
  kernel.mmap(3, { address: 0 });
  // @ts-expect-error there is no such option
  kernel.umount("/m", { lazy: true });
  // @ts-expect-error a number is no mount
  kernUmount(kernel, 1);
}
