/** An overlay as a subject: what a case has made can be laid into a lower layer. */
import { dirname } from "node:path";
import type { createFsSync } from "../../src/index.ts";
import { overlay } from "../../src/layers.ts";
import { LayerStack, type OverlayHost } from "./layer-stack.ts";
import {
  type Credentials,
  type Kernel,
  type Layers,
  type NodeFs,
  outcomeOf,
  type Subject,
  type SubjectFs,
  type TaskOptions,
} from "./subject.ts";

export interface OverlaySetup {
  /** Options beside the directories. */
  readonly options?: string;
  /** How many lower layers there are. */
  readonly lowers: number;
  /** The directory that cases work in is in the lower layers, not in the upper one. */
  readonly isRootBelow: boolean;
  /** That directory: the overlay is mounted at its parent. Left out: `/m`, or if it is below `/m/work`. */
  readonly root?: string;
  /** All that is there goes to a lower layer once: before the first call by root that so many are before of, at which nothing is open. */
  readonly sunkAfter?: number;
}

type Entry = { createFsSync: typeof createFsSync };
type Face = SubjectFs & {
  readonly kernel: Kernel;
  readonly task: { chdir(path: string): void };
  utimensSync(path: string, atime: "now", mtime: "now"): void;
};

const LAYERS = "/layers";

function hostOf(top: ReturnType<typeof createFsSync>): OverlayHost {
  return {
    fs: top as unknown as NodeFs,
    mount: (data, target) => top.kernel.mount({ type: "overlay", target, data }),
    umount: (target) => top.kernel.umount(target),
    detach: (target) => top.kernel.umount(target, { detach: true }),
  };
}

/** A face all of whose calls go through `around`. */
function calledThrough<Fs extends object>(face: Fs, around: (call: () => unknown) => unknown): Fs {
  return new Proxy(face, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver);
      if (name === "promises") return calledThrough(value as object, around);
      if (typeof value !== "function" || typeof name !== "string" || !/^[a-z]/.test(name)) return value;
      const call = (...args: unknown[]): unknown => around(() => (value as (...all: unknown[]) => unknown)(...args));
      return Object.assign(call, value);
    },
  });
}

/** A face of a subject with layers, as its setup wants it. */
export function sunkOnce(fs: SubjectFs, layers: Layers, { sunkAfter }: OverlaySetup): SubjectFs {
  if (sunkAfter === undefined) return fs;
  let nrCalls = 0;
  let nrUnderWay = 0; // promises: the host's threads work on them meanwhile
  let isSunk = false;
  return calledThrough(fs, (call) => {
    if (!isSunk && nrCalls++ >= sunkAfter && nrUnderWay === 0) isSunk = layers.sink();
    const result = call();
    if (!(result instanceof Promise)) return result;
    nrUnderWay++;
    const leave = (): number => nrUnderWay--;
    result.then(leave, leave);
    return result;
  });
}

export function createOverlaySubject(foliofs: Entry, setup: OverlaySetup): Subject {
  const { isRootBelow, lowers, options } = setup;
  const root = setup.root ?? (isRootBelow ? "/m/work" : "/m");
  const target = setup.root !== undefined || isRootBelow ? dirname(root) : root;
  const top = foliofs.createFsSync({ memoryLimit: 256 * 2 ** 20 });
  top.kernel.registerFileSystem(overlay);
  for (const path of [target, LAYERS]) top.mkdirSync(path, { recursive: true });
  const inside = isRootBelow ? root.slice(target.length + 1) : "";
  const stack = new LayerStack(hostOf(top), { base: LAYERS, target, lowers, inside, options });
  const kernel = top.kernel as unknown as Kernel;
  const fs = kernel.task({ uid: 0, gid: 0, umask: 0o022 }) as Face;
  const faces = new Map<string, Face>();

  /** Whoever stands in the overlay steps out meanwhile. */
  function whileOutside<T>(call: () => T): T {
    const all = [fs, ...faces.values()];
    for (const face of all) face.task.chdir("/");
    const result = call();
    for (const face of all) outcomeOf(() => face.task.chdir(root));
    return result;
  }

  const layers = {
    renew: () =>
      whileOutside(() => {
        stack.renew();
        if (root !== target) top.mkdirSync(root, { recursive: true });
      }),
    sink: () => whileOutside(() => stack.sink()),
  };
  layers.renew();

  function faceOf(credentials: Credentials): Face {
    const key = JSON.stringify(credentials);
    const known = faces.get(key);
    if (known) return known;
    const face = kernel.task({ groups: [], umask: 0o022, cwd: root, files: fs, ...credentials }) as Face;
    faces.set(key, face);
    return face;
  }

  async function inTask<T>(options: TaskOptions, call: (face: SubjectFs) => Promise<T>): Promise<T> {
    const face = kernel.task({ groups: [], umask: 0o022, files: fs, ...options });
    try {
      return await call(face);
    } finally {
      kernel.exit(face);
    }
  }

  return {
    name: "overlay",
    fs: sunkOnce(fs as SubjectFs, layers, setup),
    root,
    maxFileBytes: 2n ** 44n,
    kernel,
    layers,
    enter: () => {},
    as: (credentials, call) => call(faceOf(credentials)),
    asWhile: (credentials, call, cwd = root) => inTask({ ...credentials, cwd }, call),
    within: (directory, call) => inTask({ uid: 0, gid: 0, cwd: directory }, call),
    accessAs: (credentials, requests) => {
      const face = faceOf(credentials);
      return requests.map(({ path, mode }) => outcomeOf(() => face.accessSync(path, mode)));
    },
    touchAs: (credentials, paths) => {
      const face = faceOf(credentials);
      return paths.map((path) => outcomeOf(() => face.utimensSync(path, "now", "now")));
    },
    dispose: () => kernel.destroy(),
  };
}
