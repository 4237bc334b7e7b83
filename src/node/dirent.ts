/**
 * Directory entries with their type.
 *
 * @see Node 26 lib/internal/fs/utils.js class Dirent
 */
import { keepShape } from "../base/shapes.ts";
import { DT_BLK, DT_CHR, DT_DIR, DT_FIFO, DT_LNK, DT_REG, DT_SOCK } from "../base/stat-flags.ts";
import { nodeMajor } from "./platform.ts";

/** libuv's numbers for types of entries, which `fs.constants` shows. */
export const UV_DIRENT_UNKNOWN = 0;
export const UV_DIRENT_FILE = 1;
export const UV_DIRENT_DIR = 2;
export const UV_DIRENT_LINK = 3;
export const UV_DIRENT_FIFO = 4;
export const UV_DIRENT_SOCKET = 5;
export const UV_DIRENT_CHAR = 6;
export const UV_DIRENT_BLOCK = 7;

const UV_TYPES = new Uint8Array(16);
UV_TYPES[DT_REG] = UV_DIRENT_FILE;
UV_TYPES[DT_DIR] = UV_DIRENT_DIR;
UV_TYPES[DT_LNK] = UV_DIRENT_LINK;
UV_TYPES[DT_FIFO] = UV_DIRENT_FIFO;
UV_TYPES[DT_SOCK] = UV_DIRENT_SOCKET;
UV_TYPES[DT_CHR] = UV_DIRENT_CHAR;
UV_TYPES[DT_BLK] = UV_DIRENT_BLOCK;

/** libuv's type for a DT_* of a listing. */
export function toUvType(direntType: number): number {
  return UV_TYPES[direntType & 15];
}

// The description is Node's, since util.inspect shows it.
const kType = Symbol("type");

/** A directory entry: name, parent as given by the caller, type. */
export class Dirent {
  declare name: string | Uint8Array;
  declare parentPath: string | Uint8Array;
  /** As `parentPath`, where the running Node has it. */
  declare path?: string | Uint8Array;
  declare [kType]: number;

  /** @param type UV_DIRENT_* */
  constructor(name: string | Uint8Array, type: number, parentPath: string | Uint8Array) {
    this.name = name;
    this.parentPath = parentPath;
    this[kType] = type;
  }

  isDirectory(): boolean {
    return this[kType] === UV_DIRENT_DIR;
  }
  isFile(): boolean {
    return this[kType] === UV_DIRENT_FILE;
  }
  isBlockDevice(): boolean {
    return this[kType] === UV_DIRENT_BLOCK;
  }
  isCharacterDevice(): boolean {
    return this[kType] === UV_DIRENT_CHAR;
  }
  isSymbolicLink(): boolean {
    return this[kType] === UV_DIRENT_LINK;
  }
  isFIFO(): boolean {
    return this[kType] === UV_DIRENT_FIFO;
  }
  isSocket(): boolean {
    return this[kType] === UV_DIRENT_SOCKET;
  }
}

/**
 * Up to version 23 Node's entries had their parent under the name `path`, too, and programs written then ask for it. Theirs
 * is a field; one more in each entry would take a third more time for a listing of 5 000.
 */
if (nodeMajor > 0 && nodeMajor < 24) {
  Object.defineProperty(Dirent.prototype, "path", {
    get(this: Dirent) {
      return this.parentPath;
    },
    set(this: Dirent, value: unknown) {
      Object.defineProperty(this, "path", { value, writable: true, enumerable: true, configurable: true });
    },
    configurable: true,
  });
}

keepShape(new Dirent("", UV_DIRENT_FILE, ""));

/** The type that a file's mode says. */
export function uvTypeOfMode(mode: number): number {
  return toUvType((mode >> 12) & 15);
}
