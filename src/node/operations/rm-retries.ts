/** Which failures of rm are worth another try. */
import { EBUSY, EMFILE, ENFILE, ENOTEMPTY, EPERM } from "../../base/errno.ts";
import type { Failure } from "../uv-errors.ts";

const RETRIED = new Set([-EBUSY, -EMFILE, -ENFILE, -ENOTEMPTY, -EPERM]);

/** Whether what stands in the way may be gone in a moment. */
export function isRetried(failure: Failure): boolean {
  return RETRIED.has(failure.errno);
}
