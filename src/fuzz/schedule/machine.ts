/**
 * File systems whose every wait is held: what is behind them is one that answers by a scheduler, and nothing in them goes by a clock.
 *
 * Does not own: what calls may come to (model.ts).
 */
import { createFsSync, type FolioFs, type FsOptions } from "../../index.ts";
import { overlay } from "../../layers.ts";
import { bytesOfCells, type Form } from "./async-call.ts";
import { HeldStore, type StoreCall, type StoreFault } from "./held-store.ts";
import { HeldSwap } from "./held-swap.ts";
import { FIRST_DIRECTORIES, FIRST_FILES, SHARED_PATH } from "./model.ts";
import type { AsyncHands, Face } from "./perform-async.ts";

/** When synchronous calls may be EAGAIN: while a call that waits, or what it has asked for, is under way; or whenever they need a store. */
export type Eagain = "never" | "while waiting" | "always";

/** A file system for one program. */
export interface AsyncMachine {
  readonly hands: AsyncHands;
  /** The descriptor that all chains have. */
  readonly shared: number;
  readonly eagain: Eagain;
  /** All that was laid out is there: from now on waits are held. */
  begin(): void;
  /** Unmounts it, or says why it cannot go: with `waits` when inodes have come to their ends (ADR 27), else at once. */
  umount(waits: boolean): Promise<void>;
  /** @throws Error when memory is broken */
  verify(): void;
  /** Leaves nothing in caches, and mounts anew what can be. No file is open, nothing is under way. */
  renew(): Promise<void>;
  /** Checks it, and gives it back. @throws Error when it is broken */
  end(): void;
}

export interface AsyncMachineOptions {
  readonly nrChains: number;
  readonly isShared?: boolean;
  /** Holds an answer until it is chosen. */
  readonly hold: (name: string) => Promise<void>;
  readonly plan?: (call: StoreCall) => StoreFault | undefined;
}

export type MakeAsyncMachine = (options: AsyncMachineOptions) => AsyncMachine;

/** The clock stands still, and no flusher comes by when it likes: the same choices give the same run. */
const NOW = 1_700_000_000_000;
const LIMIT_BYTES = 32 * 2 ** 20;
const TARGET = "/m";
const RDWR = "r+";
const MIN_LIMIT_BYTES = 8 * 2 ** 20;
const SWAP_PAGES = 9000;
/** More than there is memory. */
const BALLAST_BYTES = 10 * 2 ** 20;
const PRESS_BYTES = 2 ** 18;

function newFs(isShared: boolean | undefined, options: FsOptions = {}): FolioFs {
  return createFsSync({ memoryLimit: LIMIT_BYTES, now: () => NOW, shared: isShared === true, ...options });
}

function layOut(fs: FolioFs, root: string): void {
  for (const name of FIRST_DIRECTORIES) fs.mkdirSync(`${root}/${name}`);
  for (const [path, cells] of Object.entries(FIRST_FILES)) fs.writeFileSync(`${root}/${path}`, bytesOfCells(cells));
}

/** Two tasks take turns: they have the same descriptors. */
function facesOf(fs: FolioFs, nrChains: number): Face[] {
  const other = fs.kernel.task({ uid: 0, gid: 0, files: fs });
  return Array.from({ length: nrChains }, (_, i) => (i % 2 === 0 ? fs : other) as unknown as Face);
}

function verify(fs: FolioFs): void {
  (fs.kernel as { verify?: () => unknown }).verify?.();
}

interface Parts {
  readonly fs: FolioFs;
  readonly root?: string;
  readonly eagain: Eagain;
  readonly others?: AsyncHands["others"];
  begin?(): void;
  renew?(): Promise<void>;
  check?(): void;
}

/** What all machines have in common. Precondition: files are laid out */
function machineOf({ nrChains, hold }: AsyncMachineOptions, parts: Parts): AsyncMachine {
  const { fs, root = TARGET, eagain, others, begin, renew, check } = parts;
  const { kernel } = fs;
  const drop = (): void => kernel.dropCaches(3);
  const sync = (form: Form): unknown => (form === "sync" ? kernel.sync() : kernel.syncAsync());
  if (kernel.vm !== undefined) kernel.vm.dirty_writeback_centisecs = 0;
  return {
    hands: { faces: facesOf(fs, nrChains), root, hold, others: { sync, drop, press: drop, ...others } },
    shared: fs.openSync(`${root}/${SHARED_PATH}`, RDWR),
    eagain,
    begin: begin ?? (() => {}),
    umount: async (waits) => (waits ? kernel.umountAsync(TARGET) : kernel.umount(TARGET)),
    verify: () => verify(fs),
    renew: async () => {
      verify(fs);
      await kernel.syncAsync();
      drop();
      await renew?.();
      verify(fs);
    },
    end: () => {
      verify(fs);
      check?.();
      kernel.destroy();
    },
  };
}

function inMemory(root: "tmpfs" | "ramfs"): MakeAsyncMachine {
  return (options) => {
    const fs = newFs(options.isShared, { root });
    fs.mkdirSync(TARGET);
    layOut(fs, TARGET);
    return machineOf(options, { fs, eagain: "never" });
  };
}

/** @param at where it is mounted */
function mountHeld(fs: FolioFs, at: string): void {
  fs.kernel.mount({ type: "heldfs", target: at });
}

/** Nothing of a file is in memory, unless it is open. */
function chill(fs: FolioFs, held: HeldStore): void {
  fs.kernel.sync();
  fs.kernel.dropCaches(3);
  held.isQuick = false;
}

function checkOrphans({ disk }: HeldStore): void {
  const orphans = [...disk.nodes.values()].filter(({ nlink }) => nlink === 0);
  if (orphans.length > 0) throw new Error(`the store was not told of the end of ${orphans.map(({ ino }) => ino)}`);
}

function onStore(hasSyncHalf: boolean): MakeAsyncMachine {
  return (options) => {
    const held = new HeldStore({ ...options, hasSyncHalf });
    const fs = newFs(options.isShared, { types: [held.type] });
    fs.mkdirSync(TARGET);
    mountHeld(fs, TARGET);
    layOut(fs, TARGET);
    return machineOf(options, {
      fs,
      eagain: hasSyncHalf ? "while waiting" : "always",
      begin: () => chill(fs, held),
      renew: async () => {
        await fs.kernel.umountAsync(TARGET);
        checkOrphans(held);
        mountHeld(fs, TARGET);
      },
    });
  };
}

const onOverlay: MakeAsyncMachine = (options) => {
  const held = new HeldStore({ ...options, hasSyncHalf: false });
  const fs = newFs(options.isShared, { types: [held.type, overlay] });
  const mountOverlay = (): void =>
    fs.kernel.mount({ type: "overlay", target: TARGET, data: "lowerdir=/l,upperdir=/u,workdir=/w,redirect_dir=on" });
  for (const path of ["/l", "/u", "/w", TARGET]) fs.mkdirSync(path);
  mountHeld(fs, "/l");
  layOut(fs, "/l");
  mountOverlay();
  return machineOf(options, {
    fs,
    eagain: "always",
    begin: () => chill(fs, held),
    renew: async () => {
      await fs.kernel.umountAsync(TARGET);
      await fs.kernel.umountAsync("/l");
      mountHeld(fs, "/l");
      held.isQuick = true; // to mount asks for names at once
      mountOverlay();
      held.isQuick = false;
    },
  });
};

const onSwap: MakeAsyncMachine = (options) => {
  const device = new HeldSwap(SWAP_PAGES, options);
  const fs = newFs(options.isShared, { memoryLimit: MIN_LIMIT_BYTES });
  fs.mkdirSync(TARGET);
  fs.kernel.mount({ type: "tmpfs", target: TARGET, data: "size=64m" });
  fs.kernel.swapOn(device);
  const [root, ballast] = [`${TARGET}/n`, `${TARGET}/ballast`];
  fs.mkdirSync(root);
  layOut(fs, root);
  const bytes = Buffer.alloc(PRESS_BYTES, 1);
  let at = 0;
  const fd = fs.openSync(ballast, "w+");
  const next = (): number => {
    at = (at + PRESS_BYTES) % BALLAST_BYTES;
    return at;
  };
  for (let i = 0; i < BALLAST_BYTES / PRESS_BYTES; i++) fs.writeSync(fd, bytes, 0, PRESS_BYTES, next());
  const press = (form: Form): unknown => {
    if (form === "sync") return fs.writeSync(fd, bytes, 0, PRESS_BYTES, next());
    return new Promise<void>((resolve, reject) => {
      fs.write(fd, bytes, 0, PRESS_BYTES, next(), (error) => (error ? reject(error) : resolve()));
    });
  };
  return machineOf(options, {
    fs,
    root,
    eagain: "always",
    others: { press },
    begin: () => {
      device.isQuick = false;
    },
    renew: async () => {
      fs.ftruncateSync(fd, 0); // the rest has room in memory
      await fs.kernel.swapOffAsync(device);
      fs.kernel.swapOn(device);
    },
  });
};

export const ASYNC_MACHINES: Readonly<Record<string, MakeAsyncMachine>> = {
  tmpfs: inMemory("tmpfs"),
  ramfs: inMemory("ramfs"),
  store: onStore(false),
  "store-both": onStore(true),
  overlay: onOverlay,
  swap: onSwap,
};
