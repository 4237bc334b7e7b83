/**
 * File systems of others as subjects, where they are installed: what users would be getting.
 *
 * They have one user, and no working directory of their own.
 */
import { S_IFDIR } from "../base/stat-flags.ts";
import type { NodeFs, TaskFace } from "./perform.ts";
import type { Machine, MakeMachine } from "./subject.ts";

/** What of these packages is used. */
interface Memfs {
  readonly Volume: new () => object;
  createFsFromVolume(volume: object): NodeFs;
}
interface NodeVfs {
  create(): NodeFs;
}
interface ZenStore {
  touchSync(path: string, attributes: { readonly mode: number }): void;
}
interface ZenFs {
  readonly fs: NodeFs;
  readonly InMemory: { create(options: object): ZenStore };
  mount(path: string, fs: ZenStore): void;
  umount(path: string): void;
}

/** Of the oracle's root. */
const ROOT_MODE = 0o755;

/** The root as the oracle has it. memfs takes lchmod() of it alone; where neither is taken the first look at the tree tells. */
function setRootMode(fs: NodeFs): void {
  for (const chmod of [fs.lchmodSync, fs.chmodSync]) {
    if (chmod === undefined) continue;
    try {
      chmod.call(fs, "/", ROOT_MODE);
      return;
    } catch {}
  }
}

/** A file system that is one face. */
export function machineOf(fs: NodeFs): Machine {
  setRootMode(fs);
  const face: TaskFace = { fs, chdir: () => {}, umask: () => 0, cwd: () => "/", hasNoCwd: true };
  return { faces: [face], end: () => {} };
}

type Load = (load: (name: string) => Promise<unknown>) => Promise<MakeMachine>;

const OTHERS: Readonly<Record<string, Load>> = {
  memfs: async (load) => {
    const { Volume, createFsFromVolume } = (await load("memfs")) as Memfs;
    return () => machineOf(createFsFromVolume(new Volume()));
  },
  zenfs: async (load) => {
    const { fs, InMemory, mount, umount } = (await load("@zenfs/core")) as ZenFs;
    return () => {
      const store = InMemory.create({});
      store.touchSync("/", { mode: S_IFDIR | ROOT_MODE }); // chmod() of directories is EISDIR
      umount("/");
      mount("/", store);
      return machineOf(fs);
    };
  },
  "node-vfs": async (load) => {
    const { create } = (await load("node:vfs")) as NodeVfs;
    return () => machineOf(create());
  },
};

export const OTHER_SUBJECT_NAMES: readonly string[] = Object.keys(OTHERS);

/** @throws Error when it is not installed, or needs an option of Node (--experimental-vfs) */
export async function loadOther(name: string): Promise<MakeMachine> {
  return OTHERS[name](async (module) => {
    try {
      return (await import(module)) as unknown;
    } catch (error) {
      throw new Error(`${name} is no subject here: ${(error as Error).message}`);
    }
  });
}
