/**
 * Errors of the host as our numbers. Numbers differ between platforms (ELOOP is 62 on macOS), names do not.
 *
 * Does not own: how they are worded (node/).
 */
import process from "node:process";
import * as errnos from "../../base/errno.ts";

/** What has another name, or is Node's own. */
const OTHER_NAMES: Readonly<Record<string, number>> = {
  ENOTSUP: errnos.EOPNOTSUPP,
  EWOULDBLOCK: errnos.EAGAIN,
  EDEADLOCK: errnos.EDEADLK,
  ENOATTR: errnos.ENODATA,
  EFTYPE: errnos.EINVAL, // macOS and BSD: O_NOFOLLOW and the like on the wrong type of file
  ERR_INVALID_ARG_VALUE: errnos.EINVAL,
  ERR_OUT_OF_RANGE: errnos.EINVAL,
  ERR_FS_FILE_TOO_LARGE: errnos.EFBIG,
};
const NUMBERS = new Map<string, number>([...Object.entries(errnos), ...Object.entries(OTHER_NAMES)]);

/** Of errors that libuv has no name for, such as EDQUOT: the number is all there is. */
const NAMELESS = "Unknown system error";

/** The negated errno of what a call of node:fs has thrown; what nobody has heard of is -EIO. */
export function hostErrno(error: unknown): number {
  const { code, errno } = (error ?? {}) as { code?: unknown; errno?: unknown };
  const known = NUMBERS.get(String(code));
  if (known !== undefined) return -known;
  const isOurs = process.platform === "linux" && String(code).startsWith(NAMELESS);
  return isOurs && Number(errno) < 0 ? Number(errno) : -errnos.EIO;
}

/** Makes a call of node:fs. @returns what it returns, or a negated errno */
export function attempt<T>(call: () => T): T | number {
  try {
    return call();
  } catch (error) {
    return hostErrno(error);
  }
}
