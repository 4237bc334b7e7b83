/**
 * File systems of others as subjects, where they are installed: what users would be getting.
 *
 * They have one user, and no working directory of their own.
 */
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

/** A file system that is one face. */
export function machineOf(fs: NodeFs): Machine {
  fs.chmodSync("/", 0o755); // as the oracle has it
  const face: TaskFace = { fs, chdir: () => {}, umask: () => 0, cwd: () => "/", hasNoCwd: true };
  return { faces: [face], end: () => {} };
}

type Load = (load: (name: string) => Promise<unknown>) => Promise<MakeMachine>;

const OTHERS: Readonly<Record<string, Load>> = {
  memfs: async (load) => {
    const { Volume, createFsFromVolume } = (await load("memfs")) as Memfs;
    return () => machineOf(createFsFromVolume(new Volume()));
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
