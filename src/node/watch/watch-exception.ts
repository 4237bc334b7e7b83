import type { Path } from "../../vfs/syscalls.ts";
import { type SystemCallError, uvException } from "../uv-errors.ts";

/** The error of what cannot be watched, with its properties in Node's order. @param rc a negated errno */
export function watchException(rc: number, path: Path): SystemCallError & { filename?: Path } {
  const error: SystemCallError & { filename?: Path } = uvException(rc, "watch", path.length > 0 ? path : undefined);
  const { code, path: shown } = error;
  for (const name of ["code", "path"] as const) delete (error as Partial<SystemCallError>)[name];
  error.code = code;
  if (shown !== undefined) error.path = shown;
  error.filename = path;
  return error;
}
