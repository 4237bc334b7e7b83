/**
 * foliofs as a subject: a fresh instance for each, with a directory of a given path to work in.
 *
 * The entry is imported when it is first asked for, so that suites which compare the oracle with itself run without
 * a built core.
 */
import { type Credentials, type Kernel, outcomeOf, type Subject, type SubjectFs, type TaskOptions } from "./subject.ts";

/** Page indexes are 32 bits and pages 4 KiB. @see assembly/fs/super.ts */
const MAX_FILE_BYTES = 2n ** 44n;

type FolioFs = SubjectFs & { readonly kernel: Kernel; utimensSync(path: string, atime: "now", mtime: "now"): void };
type Entry = { createFsSync(options?: { memoryLimit?: number; root?: RootType }): FolioFs };
type RootType = "tmpfs" | "ramfs";

let entry: Promise<Entry> | undefined;

/** Loads foliofs once. @throws when the source or its Wasm is not built */
export function loadFoliofs(): Promise<Entry> {
  entry ??= import("../../src/index.ts") as unknown as Promise<Entry>;
  return entry;
}

/**
 * @param foliofs what `loadFoliofs` resolves to
 * @param root absolute path of the directory that the subject works in; paths then equal those of an oracle there
 * @param type of the root file system
 */
export function createFoliofsSubject(foliofs: Entry, root = "/work", type: RootType = "tmpfs"): Subject {
  const top = foliofs.createFsSync({ memoryLimit: 256 * 2 ** 20, root: type });
  top.mkdirSync(root, { recursive: true });
  const fs = top.kernel.task({ uid: 0, gid: 0, umask: 0o022, cwd: root });
  const faces = new Map<string, FolioFs>();

  function faceOf(credentials: Credentials): FolioFs {
    const key = JSON.stringify(credentials);
    const known = faces.get(key);
    if (known) return known;

    const face = top.kernel.task({ groups: [], umask: 0o022, cwd: root, files: fs, ...credentials }) as FolioFs;
    faces.set(key, face);
    return face;
  }

  /** A task for the time of a call: its directory may go. */
  async function inTask<T>(options: TaskOptions, call: (face: FolioFs) => Promise<T>): Promise<T> {
    const face = top.kernel.task({ groups: [], umask: 0o022, files: fs, ...options }) as FolioFs;
    try {
      return await call(face);
    } finally {
      top.kernel.exit(face);
    }
  }

  return {
    name: "foliofs",
    fs,
    root,
    maxFileBytes: MAX_FILE_BYTES,
    kernel: top.kernel,
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
    dispose: () => top.kernel.destroy(),
  };
}
