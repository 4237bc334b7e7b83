/** The size of a file: what truncate and O_TRUNC change. */
import { type Credentials, isCapable, withoutSetid } from "./credentials.ts";
import { fail } from "./fault.ts";
import type { RegularFile } from "./inode.ts";

/** The largest file: that of foliofs, whose page indexes have 32 bits. tmpfs goes on to 2^63 - 1 (known.ts). */
export const MAX_FILE_BYTES = 2 ** 44;

/** Whoever writes to a file leaves none that runs as somebody else, but for root. @see Linux fs/inode.c file_remove_privs() */
export function dropPrivileges(who: Credentials, file: RegularFile): void {
  if (!isCapable(who)) file.mode = withoutSetid(who, file);
}

/** Both times change even where the size does not. @throws EFBIG */
export function setSize(who: Credentials, file: RegularFile, size: number): void {
  if (size > MAX_FILE_BYTES) fail("EFBIG");
  dropPrivileges(who, file);
  file.data.truncate(size);
  file.modified();
}
