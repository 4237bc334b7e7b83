/** An overlay as a subject, with a lower layer that a case's files may come from. */
import type { createFsSync } from "../../src/index.ts";
import { overlay } from "../../src/layers.ts";
import { type Credentials, type Kernel, outcomeOf, type Subject, type SubjectFs, type TaskOptions } from "./subject.ts";

export interface OverlaySetup {
  /** Options beside the directories. */
  readonly options?: string;
  /** How many lower layers there are. */
  readonly lowers: number;
  /** The directory that cases work in is in the lowest layer, not in the upper one. */
  readonly isRootBelow: boolean;
}

type Entry = { createFsSync: typeof createFsSync };
type Face = SubjectFs & { readonly kernel: Kernel; utimensSync(path: string, atime: "now", mtime: "now"): void };

export function createOverlaySubject(foliofs: Entry, setup: OverlaySetup): Subject {
  const top = foliofs.createFsSync({ memoryLimit: 256 * 2 ** 20 });
  top.kernel.registerFileSystem(overlay);
  const lowers = Array.from({ length: setup.lowers }, (_, i) => `/l${i}`);
  for (const path of ["/m", "/u", "/w", ...lowers]) top.mkdirSync(path);
  const root = setup.isRootBelow ? "/m/work" : "/m";
  if (setup.isRootBelow) for (const lower of lowers) top.mkdirSync(`${lower}/work`);
  const own = setup.options === undefined ? "" : `,${setup.options}`;
  const data = `lowerdir=${lowers.join(":")},upperdir=/u,workdir=/w${own}`;
  top.kernel.mount({ type: "overlay", target: "/m", data });
  const kernel = top.kernel as unknown as Kernel;
  const fs = kernel.task({ uid: 0, gid: 0, umask: 0o022, cwd: root });
  const faces = new Map<string, Face>();

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
    fs,
    root,
    maxFileBytes: 2n ** 44n,
    kernel,
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
