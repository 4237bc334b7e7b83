/**
 * One watch, as libuv has it: events of inotify become "change" or "rename" with a name.
 *
 * All that watch one inode share its mark; events without a name of their own get the last part of the path that it was
 * first watched by, in whatever way the others have reached it.
 *
 * @see libuv src/unix/linux.c uv_fs_event_start(), Node src/fs_event_wrap.cc
 */
import {
  FS_ATTRIB,
  FS_CREATE,
  FS_DELETE,
  FS_DELETE_SELF,
  FS_MODIFY,
  FS_MOVE_SELF,
  FS_MOVED_FROM,
  FS_MOVED_TO,
} from "../../vfs/fsnotify-events.ts";
import type { Mark } from "../../vfs/fsnotify-mark.ts";
import type { Watch } from "../../vfs/inotify.ts";
import type { Path } from "../../vfs/syscalls.ts";
import { asBuffer, decodeBytes, encodeUtf8 } from "../encoding.ts";
import { afterTurn } from "../settle.ts";
import { KeepAlive } from "./keep-alive.ts";

export type EventType = "change" | "rename";
export type OnEvent = (eventType: EventType, filename: string | Uint8Array) => void;

/** Watches a path. @returns a negated errno */
export type AddWatch = (
  path: Path,
  mask: number,
  listener: (mask: number, name: Uint8Array | undefined) => void,
  wake: (deliver: () => void) => void,
) => Watch | number;

const MASK =
  FS_ATTRIB | FS_CREATE | FS_MODIFY | FS_DELETE | FS_DELETE_SELF | FS_MOVE_SELF | FS_MOVED_FROM | FS_MOVED_TO;
/** All else is a "rename", of directories (FS_ISDIR) too. */
const CHANGE = FS_ATTRIB | FS_MODIFY;

const SLASH = 0x2f;

/** Last parts of the paths that marks were first watched by. */
const firstNames = new WeakMap<Mark, Uint8Array>();

function basename(path: Path): Uint8Array {
  const bytes = typeof path === "string" ? encodeUtf8(path) : path;
  return bytes.slice(bytes.lastIndexOf(SLASH) + 1);
}

/** A started watch, which keeps the process alive if it is persistent. */
export class FsEvent {
  readonly #keepAlive: KeepAlive;
  #watch: Watch | undefined;

  private constructor(watch: Watch, keepAlive: KeepAlive) {
    this.#watch = watch;
    this.#keepAlive = keepAlive;
  }

  /** @param encoding of names, "buffer" for bytes @returns a negated errno if it cannot be watched */
  static start(
    addWatch: AddWatch,
    path: Path,
    isPersistent: boolean,
    encoding: string | null | undefined,
    onEvent: OnEvent,
  ): FsEvent | number {
    const listener = (mask: number, name = nameOf(watch)): void =>
      onEvent(mask & ~CHANGE ? "rename" : "change", encoded(name, encoding));
    const watch = addWatch(path, MASK, listener, afterTurn);
    if (typeof watch === "number") return watch;
    if (!firstNames.has(watch.mark)) firstNames.set(watch.mark, basename(path));
    return new FsEvent(watch, new KeepAlive(isPersistent));
  }

  close(): void {
    this.#watch?.remove();
    this.#watch = undefined;
    this.#keepAlive.end();
  }
  ref(): void {
    this.#keepAlive.ref();
  }
  unref(): void {
    this.#keepAlive.unref();
  }
}

function nameOf(watch: Watch | number): Uint8Array {
  return firstNames.get((watch as Watch).mark) as Uint8Array;
}

function encoded(name: Uint8Array, encoding: string | null | undefined): string | Uint8Array {
  return encoding === "buffer" ? asBuffer(name.slice()) : decodeBytes(name, encoding || "utf8");
}
