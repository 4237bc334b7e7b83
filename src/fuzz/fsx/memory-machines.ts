/** File systems in memory: tmpfs, ramfs, tmpfs that has to go to a swap area all the time, an overlay over memory. */
import { createFsSync, type FileSystemType, type FolioFs, MS_REMOUNT, restoreFsSync } from "../../index.ts";
import { overlay } from "../../layers.ts";
import type { NodeModule } from "../../node/face/node-types.ts";
import { swaps } from "../../store.ts";
import { bytesFor } from "../pattern.ts";
import type { Abilities, Machine, MachineOptions } from "./machine.ts";
import { MemorySwap } from "./memory-swap.ts";
import { leaveRoom } from "./pressure.ts";

const DEFAULT_LIMIT = 64 * 2 ** 20;
/** The least that a kernel takes. */
const TIGHT_LIMIT = 8 * 2 ** 20;
const SWAP_BYTES = 32 * 2 ** 20;
const TARGET = "/m";
const SIZES = ["16m", "24m", "32m"];

const IN_MEMORY: Abilities = {
  write: true,
  direct: false,
  fallocate: "holes",
  seek: true,
  clone: true,
  secondName: true,
};

/** Two files, with two names each if they have them. */
export function namesBelow(target: string, secondName: boolean): (file: number) => readonly string[] {
  const all = ["a", "b"].map((name) => [`${target}/${name}`, ...(secondName ? [`${target}/${name}2`] : [])]);
  return (file) => all[file];
}

/** Makes the files, and their second names. */
export function makeFiles(fs: NodeModule, names: (file: number) => readonly string[]): void {
  for (const [first, second] of [names(0), names(1)]) {
    fs.writeFileSync(first, "");
    if (second !== undefined) fs.linkSync(first, second);
  }
}

/** A kernel that can be saved, restored and forked, whatever is in it. */
class MemoryMachine implements Machine {
  readonly abilities: Abilities;
  readonly names: (file: number) => readonly string[];
  readonly #options: MachineOptions;
  readonly #types: readonly FileSystemType[];
  readonly #awake: (fs: FolioFs) => void;
  #fs: FolioFs;

  /** @param awake is called of each kernel that goes on with the files */
  constructor(
    fs: FolioFs,
    options: MachineOptions,
    abilities: Abilities,
    types: readonly FileSystemType[] = [],
    awake: (fs: FolioFs) => void = () => {},
  ) {
    this.#fs = fs;
    this.#options = options;
    this.abilities = abilities;
    this.#types = types;
    this.#awake = awake;
    this.names = namesBelow(TARGET, abilities.secondName);
  }

  get fs(): NodeModule {
    return this.#fs as unknown as NodeModule;
  }
  get folio(): FolioFs {
    return this.#fs;
  }

  initial(_file: number): Uint8Array {
    return new Uint8Array();
  }

  restore(bytes: Uint8Array): void {
    this.#goOn(restoreFsSync(bytes, { types: this.#types, shared: this.#options.isShared }));
  }
  rollback(bytes: Uint8Array): void {
    this.#fs.kernel.restore(bytes);
    this.#awake(this.#fs);
  }
  fork(): void {
    this.#goOn(this.#fs.kernel.fork().fs);
  }

  #goOn(fs: FolioFs): void {
    this.#fs.kernel.destroy();
    this.#fs = fs;
    this.#awake(fs);
  }

  end(): void {
    this.#fs.kernel.destroy();
  }
}

function newFs({ limit = DEFAULT_LIMIT, isShared }: MachineOptions, types: readonly FileSystemType[] = []): FolioFs {
  const fs = createFsSync({ memoryLimit: limit, shared: isShared, types });
  fs.mkdirSync(TARGET);
  return fs;
}

class TmpfsMachine extends MemoryMachine {
  remount(choice: number): void {
    const size = SIZES[choice % SIZES.length];
    this.folio.kernel.mount({ type: "tmpfs", target: TARGET, flags: MS_REMOUNT, data: `size=${size}` });
  }
}

export function tmpfsMachine(options: MachineOptions): Machine {
  const fs = newFs(options);
  fs.kernel.mount({ type: "tmpfs", target: TARGET, data: `size=${SIZES[0]}` });
  const machine = new TmpfsMachine(fs, options, IN_MEMORY);
  makeFiles(machine.fs, machine.names);
  return machine;
}

export function ramfsMachine(options: MachineOptions): Machine {
  const fs = newFs(options);
  fs.kernel.mount({ type: "ramfs", target: TARGET });
  const machine = new MemoryMachine(fs, options, IN_MEMORY);
  makeFiles(machine.fs, machine.names);
  return machine;
}

/** Another area is turned on, and all that were there go: their pages come to memory, or to the new one. */
function renewSwap(fs: FolioFs): void {
  const before = swaps(fs.kernel);
  fs.kernel.swapOn(new MemorySwap(SWAP_BYTES));
  for (const { device } of before) fs.kernel.swapOff(device);
}

class SwapMachine extends TmpfsMachine {
  readonly copiesShort = true;

  override remount(choice: number): void {
    if (choice % 2 === 0) renewSwap(this.folio);
    else super.remount(choice);
  }
}

/** What is left of memory is less than the two files may have. */
export function swapMachine(options: MachineOptions): Machine {
  const fs = newFs({ ...options, limit: options.limit ?? TIGHT_LIMIT });
  fs.kernel.mount({ type: "tmpfs", target: TARGET, data: `size=${SIZES[0]}` });
  const machine = new SwapMachine(fs, options, IN_MEMORY, [], renewSwap);
  makeFiles(machine.fs, machine.names);
  leaveRoom(fs, roomFor(options));
  renewSwap(fs);
  return machine;
}

/** A kernel cannot work with less. */
const LEAST_ROOM = 256 * 1024;

export function roomFor({ length }: MachineOptions): number {
  return LEAST_ROOM + (length >> 1);
}

/** Each file is a lower one at first, and again after each umount(): the first write copies it up, with the frames that both then have. */
class OverlayMachine extends MemoryMachine {
  readonly copiesUp = true;
  readonly #initial: readonly Uint8Array[];

  constructor(fs: FolioFs, options: MachineOptions, initial: readonly Uint8Array[]) {
    super(fs, options, { ...IN_MEMORY, clone: false, secondName: false }, [overlay]);
    this.#initial = initial;
  }

  override initial(file: number): Uint8Array {
    return this.#initial[file];
  }

  remount(): void {
    const { kernel } = this.folio;
    kernel.mount({ type: "overlay", target: TARGET, flags: MS_REMOUNT, data: "" });
  }

  umount(): void {
    const fs = this.folio;
    fs.kernel.umount(TARGET);
    for (const name of fs.readdirSync("/u") as string[]) {
      fs.copyFileSync(`/u/${name}`, `/l/${name}`, fs.constants.COPYFILE_FICLONE);
      fs.unlinkSync(`/u/${name}`);
    }
    mountOverlay(fs);
  }
}

function mountOverlay(fs: FolioFs): void {
  fs.kernel.mount({ type: "overlay", target: TARGET, data: "lowerdir=/l,upperdir=/u,workdir=/w" });
}

export function overlayMachine(options: MachineOptions): Machine {
  const fs = newFs(options, [overlay]);
  for (const path of ["/l", "/u", "/w"]) fs.mkdirSync(path);
  const initial = [bytesFor(options.length >> 1, 1), bytesFor(5000, 2)];
  for (const [file, name] of ["/l/a", "/l/b"].entries()) fs.writeFileSync(name, initial[file]);
  mountOverlay(fs);
  return new OverlayMachine(fs, options, initial);
}
