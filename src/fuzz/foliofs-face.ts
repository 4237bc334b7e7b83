/** A face of foliofs as that of a task. */
import type { FolioFs } from "../index.ts";
import type { NodeFs, TaskFace } from "./perform.ts";

export function taskFaceOf(fs: FolioFs): TaskFace {
  const { chdir, umask, cwd } = fs.task;
  return {
    fs: fs as unknown as NodeFs,
    chdir,
    umask,
    cwd,
    flock: (fd, operation) => fs.kernel.linux.flockSync(fd, operation),
  };
}
