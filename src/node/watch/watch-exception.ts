import type { Path } from "../../vfs/syscalls.ts";
import { type SystemCallError, uvException } from "../uv-errors.ts";

/** The error of what cannot be watched, with the properties in the order that Node gives them. @param rc a negated errno */
export function watchException(rc: number, path: Path): SystemCallError & { filename?: Path } {
  const error: SystemCallError & { filename?: Path } = uvException(rc, "watch", path);
  const { errno, code } = error;
  const shown = error.path as string;
  for (const name of ["errno", "code", "syscall", "path"] as const) delete (error as Partial<SystemCallError>)[name];
  return Object.assign(error, { errno, syscall: "watch", code, path: shown, filename: path });
}
