/**
 * Fifos with Node's shape: `fs.kernel.linux.mkfifo()`.
 *
 * Does not own: what opening, reading and writing one does (vfs/pipe.ts).
 *
 * @see POSIX.1-2024 mkfifo()
 */
import { S_IALLUGO, S_IFIFO } from "../../base/stat-flags.ts";
import type { Task } from "../../vfs/task.ts";
import type { PathLike } from "../face/names.ts";
import { toPath } from "../paths.ts";
import type { Failure } from "../uv-errors.ts";
import { toFileMode } from "../validators.ts";
import { formsOf, orFailed, type Waits } from "./forms.ts";

/** Making fifos. */
export interface FifoCalls {
  /** Makes a fifo. @param mode permission bits, 0o666 when left out, less the umask @throws as mknod(2): EEXIST, EACCES, EROFS, ENOSPC ... */
  mkfifo(path: PathLike, mode?: number | string): Promise<void>;
  mkfifoSync(path: PathLike, mode?: number | string): void;
}

/** Fifos by a task. */
export function fifoCalls(task: Task, waits: Waits): FifoCalls {
  const [mkfifoSync, mkfifo] = formsOf(
    waits,
    (path: PathLike, mode?: number | string) => ({ path: toPath(path), mode: toFileMode(mode, "mode", 0o666) }),
    ({ path, mode }) => {
      const rc = task.mknod(task.fromCwd(path), S_IFIFO | (mode & S_IALLUGO), 0);
      return orFailed(task, rc || undefined, "mkfifo", path) as undefined | Failure;
    },
  );
  return { mkfifo, mkfifoSync };
}
