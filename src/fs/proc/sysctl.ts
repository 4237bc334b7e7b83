/**
 * Settings as files: what sys/ is made of. A read from the beginning gives the value, one from elsewhere nothing; a write at the
 * beginning sets it, one elsewhere is taken and does nothing.
 *
 *   blanks, 0x hexadecimal, 0 octal or decimal, a blank or the end; what follows the blank is not looked at
 *
 * Root has the rights that the owner's bits say, and no others: nobody can read what is only written.
 *
 * Does not own: which settings there are (sys-vm.ts, sys-fs.ts).
 *
 * @see Linux fs/proc/proc_sysctl.c proc_sys_call_handler(), test_perm(); kernel/sysctl.c proc_get_long()
 */
import { EACCES, EBADF, EINVAL, EPERM } from "../../base/errno.ts";
import type { FileHandle, InodeHandle } from "../../base/handles.ts";
import { utf8Decoder, utf8Encoder } from "../../base/utf8.ts";
import type { FileOperations } from "../../vfs/fs-type.ts";
import { Inode } from "../../vfs/inode.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { FILE_MODE, FMODE_READ, FMODE_WRITE } from "../../wasm/layout.ts";

/** A setting. */
export interface Sysctl {
  /** The value as text, without the end of line. Missing: it is only written. */
  get?(kernel: Kernel): string;
  /** Missing: it is only read. */
  readonly write?: {
    readonly min: number;
    readonly max: number;
    set(kernel: Kernel, value: number): void;
  };
}

/** Linux takes no more of one write. */
const MAX_BYTES = 4095;
const NUMBER = /^[ \t\n\v\f\r]*(-?)(0[xX][0-9a-fA-F]+|\d+)(?=[ \t\n]|$)/;

/**
 * The number at the start of what is written.
 *
 * @returns undefined for what is none, and for one that is larger than 2^53 - 1 either way
 */
export function parseNumber(text: string): number | undefined {
  const [, sign, digits] = NUMBER.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const isOctal = /^0\d/.test(digits);
  if (isOctal && /[89]/.test(digits)) return undefined;
  const value = isOctal ? Number.parseInt(digits, 8) : Number(digits);
  return Number.isSafeInteger(value) ? (sign ? 0 - value : value) : undefined;
}

/** @returns 0, or -EINVAL for what is no number, or out of range; -EPERM for what is only read */
function store(kernel: Kernel, { write }: Sysctl, text: string): number {
  if (write === undefined) return -EPERM;
  const value = parseNumber(text);
  if (value === undefined || value < write.min || value > write.max) return -EINVAL;
  write.set(kernel, value);
  return 0;
}

function isOpenFor({ core }: Kernel, file: FileHandle, mode: number): boolean {
  return (core.u32[(file << 3) + FILE_MODE] & mode) !== 0;
}

/** @param find the setting of an inode */
export function sysctlOperations(find: (kernel: Kernel, inode: InodeHandle) => Sysctl): FileOperations {
  const of = (kernel: Kernel, file: FileHandle) => find(kernel, Inode.ofFile(kernel, file).handle);
  return {
    read(kernel, file, buffer, offset, length, position) {
      if (!isOpenFor(kernel, file, FMODE_READ)) return -EBADF;
      const pos = position < 0 ? kernel.core.filePos(file) : position;
      if (pos > 0) return 0;
      const piece = utf8Encoder.encode(`${of(kernel, file).get?.(kernel) ?? ""}\n`).subarray(0, length);
      buffer.set(piece, offset);
      if (position < 0) kernel.core.setFilePos(file, piece.length);
      return piece.length;
    },
    write(kernel, file, buffer, offset, length, position) {
      if (!isOpenFor(kernel, file, FMODE_WRITE)) return -EBADF;
      const pos = position < 0 ? kernel.core.filePos(file) : position;
      const text = utf8Decoder.decode(buffer.slice(offset, offset + Math.min(length, MAX_BYTES)));
      const rc = pos > 0 || length === 0 ? 0 : store(kernel, of(kernel, file), text);
      if (rc < 0) return rc;
      if (position < 0) kernel.core.setFilePos(file, pos + length);
      return length;
    },
  };
}

/** May the task that is served? By the mode bits alone, whoever it is. @param mode permission bits @param mask union of MAY_* */
export function sysctlPermission(kernel: Kernel, mode: number, mask: number): number {
  const { current } = kernel;
  if (current === undefined) return -EACCES;
  const { uid, gid, groups } = current.credentials;
  const bits = uid === 0 ? mode >> 6 : gid === 0 || groups.includes(0) ? mode >> 3 : mode;
  return mask & ~bits & 0o7 ? -EACCES : 0;
}
