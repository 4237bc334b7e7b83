/** What stat and readdir of the model give: as much of Node's Stats and Dirent as outcomes tell. */
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../../base/stat-flags.ts";
import type { Inode } from "./inode.ts";

/** Tests by type. */
class Typed {
  readonly mode: number;

  constructor(mode: number) {
    this.mode = mode;
  }
  isDirectory(): boolean {
    return (this.mode & S_IFMT) === S_IFDIR;
  }
  isFile(): boolean {
    return (this.mode & S_IFMT) === S_IFREG;
  }
  isSymbolicLink(): boolean {
    return (this.mode & S_IFMT) === S_IFLNK;
  }
}

export class ModelStats extends Typed {
  readonly ino: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly blocks: number;
  readonly atimeMs: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;

  constructor({ mode, ino, nlink, uid, gid, size, blocks, atimeMs, mtimeMs, ctimeMs }: Inode) {
    super(mode);
    this.ino = ino;
    this.nlink = nlink;
    this.uid = uid;
    this.gid = gid;
    this.size = size;
    this.blocks = blocks;
    this.atimeMs = atimeMs;
    this.mtimeMs = mtimeMs;
    this.ctimeMs = ctimeMs;
  }
}

export class ModelDirent extends Typed {
  readonly name: string;

  constructor(name: string, { mode }: Inode) {
    super(mode);
    this.name = name;
  }
}
