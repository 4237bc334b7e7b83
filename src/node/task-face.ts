/**
 * `fs.task`: the task behind a face, as `process` shows a process: where it stands, its umask, who it is.
 *
 * @see Node 26 lib/internal/process/per_thread.js, src/node_process_methods.cc; chroot(2)
 */
import type { Syscalls } from "../vfs/syscalls.ts";
import { decodeUtf8 } from "./encoding.ts";
import type { PathLike } from "./face/arguments.ts";
import { workingDirectory } from "./operations/absolute-path.ts";
import { toPath } from "./paths.ts";
import { uvException } from "./uv-errors.ts";
import { toFileMode } from "./validators.ts";

/** The task behind a face. Its functions need no `this`. */
export interface FolioTask {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
  /** Changes the working directory. @throws errors of the walk, ENOTDIR, EACCES */
  chdir(directory: PathLike): void;
  /** The working directory. @throws ENOENT when it has been removed, or lies outside of the root */
  cwd(): string;
  /** Mode bits that new files do not get. @param mask number, or octal text: the new ones @returns those before */
  umask(mask?: number | string): number;
  /**
   * Changes the root directory. As with chroot(2), the working directory stays where it is.
   *
   * @throws errors of the walk, ENOTDIR, EACCES, EPERM for others than root
   */
  chroot(path: PathLike): void;
}

function shownCwd(sys: Syscalls): string {
  const path = sys.getcwd();
  return typeof path === "number" ? "" : decodeUtf8(path);
}

/** The task of a face, on its system calls. */
export function taskFace(sys: Syscalls): FolioTask {
  const { uid, gid, groups } = sys.credentials;
  return {
    uid,
    gid,
    groups: Object.freeze([...groups]),
    chdir(directory) {
      const path = toPath(directory, "directory");
      const rc = sys.chdir(path);
      if (rc < 0) throw uvException(rc, "chdir", shownCwd(sys), path);
    },
    cwd: () => workingDirectory(sys),
    umask(mask) {
      if (mask !== undefined) return sys.umask(toFileMode(mask, "mask"));
      const before = sys.umask(0);
      sys.umask(before);
      return before;
    },
    chroot(directory) {
      const path = toPath(directory);
      const rc = sys.chroot(path);
      if (rc < 0) throw uvException(rc, "chroot", path);
    },
  };
}
