/** Folders of the host as file systems whose every wait is held (fuzz/schedule): each call of the host is made, then answered, when it is chosen. */
import { HOST_LATER, HOST_NOW } from "../../src/fs/hostfs/host-steps.ts";
import { bytesOfCells } from "../../src/fuzz/schedule/async-call.ts";
import type { AsyncMachine, AsyncMachineOptions, MakeAsyncMachine } from "../../src/fuzz/schedule/machine.ts";
import { FIRST_DIRECTORIES, FIRST_FILES, SHARED_PATH } from "../../src/fuzz/schedule/model.ts";
import type { Face } from "../../src/fuzz/schedule/perform-async.ts";
import type { FolioFs } from "../../src/index.ts";
import { createHostfsMount } from "./hostfs-mount.ts";

type AnyCall = (...args: unknown[]) => unknown;
type HostCallName = keyof typeof HOST_NOW;

const ITSELF = { ...HOST_LATER };

/** Each call waits twice. What is written is copied when the host is asked for it. */
function holdHost(hold: AsyncMachineOptions["hold"]): void {
  for (const name of Object.keys(HOST_LATER) as HostCallName[]) {
    const now = HOST_NOW[name] as AnyCall;
    HOST_LATER[name] = async (...all: unknown[]) => {
      const done = all.at(-1) as AnyCall;
      const args = all.slice(0, -1);
      if (name === "writev") args[1] = (args[1] as Uint8Array[]).map((view) => new Uint8Array(view));
      await hold(`host ${name}`);
      const answer = answerOf(() => now(...args));
      await hold(`answer ${name}`);
      done(...answer);
    };
  }
}

function answerOf(make: () => unknown): unknown[] {
  try {
    return [null, make()];
  } catch (error) {
    return [error];
  }
}

/** The host is itself again. */
export function releaseHost(): void {
  Object.assign(HOST_LATER, ITSELF);
}

function facesOf(fs: FolioFs, nrChains: number): Face[] {
  const other = fs.kernel.task({ uid: 0, gid: 0, files: fs });
  return Array.from({ length: nrChains }, (_, i) => (i % 2 === 0 ? fs : other) as unknown as Face);
}

/** @param data options of the mount */
export function heldHost(data: string): MakeAsyncMachine {
  return ({ nrChains, hold, isShared }): AsyncMachine => {
    const setup = createHostfsMount("/dev/shm", {
      preallocate: true,
      memoryLimit: 16 * 2 ** 20,
      shared: isShared === true,
      now: () => 1_700_000_000_000,
    });
    const { fs } = setup;
    const { kernel } = fs;
    const verify = (): void => void (kernel as { verify?: () => unknown }).verify?.();
    setup.mount(data);
    if (kernel.vm !== undefined) kernel.vm.dirty_writeback_centisecs = 0;
    for (const name of FIRST_DIRECTORIES) fs.mkdirSync(`/mnt/${name}`);
    for (const [path, cells] of Object.entries(FIRST_FILES)) fs.writeFileSync(`/mnt/${path}`, bytesOfCells(cells));
    kernel.sync();
    kernel.dropCaches(3);
    const drop = (): void => kernel.dropCaches(3);
    return {
      hands: {
        faces: facesOf(fs, nrChains),
        root: "/mnt",
        hold,
        others: { drop, press: drop, sync: (form) => (form === "sync" ? kernel.sync() : kernel.syncAsync()) },
      },
      shared: fs.openSync(`/mnt/${SHARED_PATH}`, "r+"),
      eagain: "while waiting",
      begin: () => holdHost(hold),
      umount: async () => kernel.umount("/mnt"),
      verify,
      renew: async () => {
        verify();
        await kernel.syncAsync();
        await kernel.umountAsync("/mnt");
        verify();
        setup.mount(data);
      },
      end: () => {
        verify();
        releaseHost();
        setup.dispose();
      },
    };
  };
}
