/** foliofs as a subject: its own file systems, and those that are mounted. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostfs } from "../host.ts";
import { createFsSync, type FolioFs } from "../index.ts";
import { overlay } from "../layers.ts";
import { KEPT_MODE, KEPT_NAME, rootsOf, type TaskSpec } from "./call.ts";
import { taskFaceOf } from "./foliofs-face.ts";
import { FIRST_UMASK, type TaskFace } from "./perform.ts";
import type { Machine, MakeMachine, SubjectOptions } from "./subject.ts";

const DEFAULT_LIMIT_BYTES = 256 * 2 ** 20;
const TARGET = "/m";

function newFs({ limit = DEFAULT_LIMIT_BYTES, isShared = false }: SubjectOptions, root: "tmpfs" | "ramfs"): FolioFs {
  return createFsSync({ memoryLimit: limit, shared: isShared, root });
}

/** @param path absolute in `root` */
function below(root: string, path: string): string {
  return root === "/" ? path : root + path;
}

/** @param root what is the tasks' root @param cwd where they begin */
function facesOf(fs: FolioFs, tasks: readonly TaskSpec[], root: string, cwd: string): TaskFace[] {
  return tasks.map(({ uid, gid, groups, root: own }) => {
    const place = own === undefined ? { root, cwd } : { root: below(root, `/${own}`) };
    return taskFaceOf(fs.kernel.task({ uid, gid, groups: [...groups], umask: FIRST_UMASK, ...place }));
  });
}

function makeTaskRoot(fs: FolioFs, path: string): void {
  fs.mkdirSync(path);
  fs.writeFileSync(`${path}/${KEPT_NAME}`, "", { mode: KEPT_MODE });
}

/** @param place the folder that an oracle without a root of its own has */
function machineOf(fs: FolioFs, { tasks, root: place }: SubjectOptions, root = "/", clear?: () => void): Machine {
  if (place !== "") {
    const folder = below(root, place);
    fs.mkdirSync(folder, { recursive: true });
    fs.chownSync(folder, tasks[0].uid, tasks[0].gid); // whose the oracle's is
  }
  for (const name of rootsOf(tasks)) makeTaskRoot(fs, below(root, `/${name}`));
  const faces = facesOf(fs, tasks, root, place || "/");
  // As the oracle's: nothing lies above it for a task whose working directory is moved out of a root of its own.
  if (root !== "/") fs.kernel.umount(root, { detach: true });
  return {
    faces,
    end: () => {
      (fs.kernel as { verify?: () => unknown }).verify?.();
      fs.kernel.destroy();
      clear?.();
    },
  };
}

export const FOLIOFS_SUBJECTS: Readonly<Record<string, MakeMachine>> = {
  tmpfs: (options) => machineOf(newFs(options, "tmpfs"), options),
  ramfs: (options) => machineOf(newFs(options, "ramfs"), options),
  overlay: (options) => {
    const fs = newFs(options, "tmpfs");
    fs.kernel.registerFileSystem(overlay);
    for (const path of ["/l", "/u", "/w", TARGET]) fs.mkdirSync(path);
    fs.kernel.mount({ type: "overlay", target: TARGET, data: "lowerdir=/l,upperdir=/u,workdir=/w" });
    return machineOf(fs, options, TARGET);
  },
  hostfs: (options) => {
    const fs = newFs(options, "tmpfs");
    fs.kernel.registerFileSystem(hostfs);
    const folder = mkdtempSync(join(tmpdir(), "foliofs-fuzz-hostfs-"));
    fs.mkdirSync(TARGET);
    fs.kernel.mount({ type: "hostfs", source: folder, target: TARGET });
    fs.chmodSync(TARGET, 0o755);
    return machineOf(fs, options, TARGET, () => rmSync(folder, { recursive: true, force: true }));
  },
};
