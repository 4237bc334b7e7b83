/**
 * Extended attributes with Node's shape: `fs.kernel.linux.getxattr()` and its kin.
 *
 * Does not own: what is allowed (vfs/xattr.ts).
 *
 * @see Linux xattr(7), setxattr(2), getxattr(2), listxattr(2), removexattr(2)
 */
import { bytesOf, isUint8Array } from "../../base/views.ts";
import type { FileTarget } from "../../vfs/file-target.ts";
import type { Path } from "../../vfs/syscalls.ts";
import type { Task } from "../../vfs/task.ts";
import { getxattr, listxattr, removexattr, setxattr } from "../../vfs/xattr.ts";
import { copyBytes, encodeUtf8 } from "../encoding.ts";
import { argTypeError, argValueError } from "../errors.ts";
import type { Encoding } from "../face/arguments.ts";
import type { Bytes, PathLike } from "../face/names.ts";
import { encodeName, type NameEncoding } from "../operations/names-encoding.ts";
import { toPath } from "../paths.ts";
import type { Failure } from "../uv-errors.ts";
import { checkBuffer, checkInt32, toOptions } from "../validators.ts";
import { type Descriptor, type Forms, formsOf, orFailed, toFd, type Waits } from "./forms.ts";

/** A name such as "user.comment": text, or bytes without NUL. */
export type XattrName = string | Uint8Array;
/** Text, which is stored as UTF-8, or bytes. */
export type XattrValue = string | ArrayBufferView;
/** How names are answered: as text, or as bytes. */
export type XattrListOptions = { encoding?: Encoding | "buffer" | null } | Encoding | "buffer" | null;

/** Calls that end in Sync throw what the others reject with. Those with `l` do not follow a symbolic link at the end of the path. */
export interface XattrCalls {
  /**
   * Gives the value of an extended attribute.
   *
   * @throws in this order ERANGE for a name of no bytes or more than 255; errors of the walk, EBADF; ENODATA for what the caller may not
   *   know of; EACCES; ENOTSUP where there are none of the kind; EINVAL for a kind alone ("user."); ENODATA
   */
  getxattr(path: PathLike, name: XattrName): Promise<Bytes>;
  lgetxattr(path: PathLike, name: XattrName): Promise<Bytes>;
  fgetxattr(fd: Descriptor, name: XattrName): Promise<Bytes>;
  getxattrSync(path: PathLike, name: XattrName): Bytes;
  lgetxattrSync(path: PathLike, name: XattrName): Bytes;
  fgetxattrSync(fd: Descriptor, name: XattrName): Bytes;

  /**
   * Sets an extended attribute: `user.*` of files and directories by who may write to them, `trusted.*` and `security.*` by root.
   *
   * @param value at most 65 536 bytes
   * @param flags XATTR_CREATE = 1: it must be new; XATTR_REPLACE = 2: it must not be
   * @throws in this order EINVAL for other flags; ERANGE as getxattr(); E2BIG; errors of the walk, EBADF; EROFS; EPERM, EACCES; ENOTSUP,
   *   EINVAL as getxattr(); ENOSPC; EEXIST, ENODATA by the flags
   */
  setxattr(path: PathLike, name: XattrName, value: XattrValue, flags?: number): Promise<void>;
  lsetxattr(path: PathLike, name: XattrName, value: XattrValue, flags?: number): Promise<void>;
  fsetxattr(fd: Descriptor, name: XattrName, value: XattrValue, flags?: number): Promise<void>;
  setxattrSync(path: PathLike, name: XattrName, value: XattrValue, flags?: number): void;
  lsetxattrSync(path: PathLike, name: XattrName, value: XattrValue, flags?: number): void;
  fsetxattrSync(fd: Descriptor, name: XattrName, value: XattrValue, flags?: number): void;

  /**
   * Names of the extended attributes; `trusted.*` only for root. Text in UTF-8 unless options say otherwise.
   *
   * @throws errors of the walk, EBADF; E2BIG for names of more than 65 536 bytes together, each with its NUL
   */
  listxattr(path: PathLike, options?: XattrListOptions): Promise<(string | Bytes)[]>;
  llistxattr(path: PathLike, options?: XattrListOptions): Promise<(string | Bytes)[]>;
  flistxattr(fd: Descriptor, options?: XattrListOptions): Promise<(string | Bytes)[]>;
  listxattrSync(path: PathLike, options?: XattrListOptions): (string | Bytes)[];
  llistxattrSync(path: PathLike, options?: XattrListOptions): (string | Bytes)[];
  flistxattrSync(fd: Descriptor, options?: XattrListOptions): (string | Bytes)[];

  /** Removes an extended attribute. @throws as setxattr(); ENODATA where there is none */
  removexattr(path: PathLike, name: XattrName): Promise<void>;
  lremovexattr(path: PathLike, name: XattrName): Promise<void>;
  fremovexattr(fd: Descriptor, name: XattrName): Promise<void>;
  removexattrSync(path: PathLike, name: XattrName): void;
  lremovexattrSync(path: PathLike, name: XattrName): void;
  fremovexattrSync(fd: Descriptor, name: XattrName): void;
}

/** By what a call reaches the file: the letter before its name. */
type Way = "" | "l" | "f";
const WAYS: readonly Way[] = ["", "l", "f"];

interface Request {
  readonly target: FileTarget;
  /** As errors show it. */
  readonly path: Path | undefined;
  readonly name: Uint8Array;
  readonly value: Uint8Array;
  readonly flags: number;
  readonly encoding: NameEncoding;
}

const NOTHING = new Uint8Array(0);

function toName(name: unknown): Uint8Array {
  const bytes = typeof name === "string" ? encodeUtf8(name) : name;
  if (!isUint8Array(bytes)) throw argTypeError("name", ["string", "Buffer", "Uint8Array"], name);
  const copy = copyBytes(bytesOf(bytes));
  if (copy.includes(0)) throw argValueError("name", name, "must be a string or Uint8Array without null bytes");
  return copy;
}

function toValue(value: unknown): Uint8Array {
  if (typeof value === "string") return encodeUtf8(value);
  checkBuffer(value, "value");
  return bytesOf(value);
}

/** @param given path or descriptor */
function toTarget(task: Task, way: Way, given: unknown): Pick<Request, "target" | "path"> {
  if (way === "f") {
    const fd = toFd(given);
    return { target: { fd, follow: true }, path: undefined };
  }
  const path = toPath(given);
  return { target: { path: task.fromCwd(path), follow: way === "" }, path };
}

/** Extended attributes by a task. */
export function xattrCalls(task: Task, waits: Waits): XattrCalls {
  const calls: Record<string, unknown> = {};

  function add<R>(
    name: string,
    prepare: (given: readonly unknown[]) => Partial<Request>,
    make: (request: Request) => R | number,
  ): void {
    for (const way of WAYS) {
      const syscall = way + name;
      const [sync, promise]: Forms<unknown[], R> = formsOf(
        waits,
        (given: unknown, ...rest: unknown[]): Request => ({
          name: NOTHING,
          value: NOTHING,
          flags: 0,
          encoding: undefined,
          ...toTarget(task, way, given),
          ...prepare(rest),
        }),
        (request: Request): R | Failure => orFailed(task, make(request), syscall, request.path),
      );
      calls[`${syscall}Sync`] = sync;
      calls[syscall] = promise;
    }
  }

  add(
    "getxattr",
    ([name]) => ({ name: toName(name) }),
    ({ target, name }) => {
      const value = getxattr(task, target, name);
      return typeof value === "number" ? value : copyBytes(value);
    },
  );
  add(
    "setxattr",
    ([name, value, flags = 0]) => {
      const request = { name: toName(name), value: toValue(value), flags };
      checkInt32(flags, "flags");
      return { ...request, flags };
    },
    ({ target, name, value, flags }) => setxattr(task, target, name, value, flags) || undefined,
  );
  add(
    "listxattr",
    ([options]) => ({ encoding: toOptions(options).encoding }),
    ({ target, encoding }) => {
      const names = listxattr(task, target);
      return typeof names === "number" ? names : names.map((name) => encodeName(name, encoding));
    },
  );
  add(
    "removexattr",
    ([name]) => ({ name: toName(name) }),
    ({ target, name }) => removexattr(task, target, name) || undefined,
  );
  return calls as unknown as XattrCalls;
}
