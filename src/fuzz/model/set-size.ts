/** The size of a file: what truncate and O_TRUNC change. */
import { type Credentials, isCapable, withoutSetid } from "./credentials.ts";
import { fail } from "./fault.ts";
import type { Dentry, RegularFile } from "./inode.ts";
import { IN_ATTRIB, IN_MODIFY, tellChange } from "./notify.ts";

/** The largest file: that of foliofs, whose page indexes have 32 bits. tmpfs goes on to 2^63 - 1 (known.ts). */
export const MAX_FILE_BYTES = 2 ** 44;

/**
 * Whoever writes to a file leaves none that runs as somebody else, but for root.
 *
 * @returns what that is told as @see Linux fs/inode.c file_remove_privs()
 */
function killPrivileges(who: Credentials, file: RegularFile): number {
  const mode = isCapable(who) ? file.mode : withoutSetid(who, file);
  const what = mode === file.mode ? 0 : IN_ATTRIB;
  file.mode = mode;
  return what;
}

/** As a write does. @param by the name that the file was opened by */
export function dropPrivileges(who: Credentials, file: RegularFile, by: Dentry | undefined): void {
  const what = killPrivileges(who, file);
  if (what !== 0) tellChange(file, by, what);
}

/** Both times change even where the size does not. @throws EFBIG */
export function setSize(who: Credentials, file: RegularFile, by: Dentry | undefined, size: number): void {
  if (size > MAX_FILE_BYTES) fail("EFBIG");
  const what = killPrivileges(who, file);
  file.data.truncate(size);
  file.modified();
  tellChange(file, by, IN_MODIFY | what);
}
