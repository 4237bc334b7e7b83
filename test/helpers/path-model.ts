/**
 * The model of the path walk: text in, place or errno out. It puts the body of a symbolic link in front of what is left
 * of the path, where the core keeps a stack of positions.
 */
import { EACCES, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR } from "../../src/base/errno.ts";
import type { DentryHandle, MountHandle } from "../../src/base/handles.ts";
import { LOOKUP_DIRECTORY, LOOKUP_FOLLOW, LOOKUP_LAST, LOOKUP_OPEN } from "../../src/wasm/layout.ts";

const MAX_LINKS = 40;

export interface ModelNode {
  kind: "dir" | "file" | "link";
  dentry: DentryHandle;
  parent: ModelNode;
  entries: Map<string, ModelNode>;
  target: string;
  mode: number;
  uid: number;
  gid: number;
}

export interface ModelMount {
  handle: MountHandle;
  root: ModelNode;
  parent: ModelMount | undefined;
  mountpoint: ModelNode | undefined;
}

export interface Place {
  mnt: ModelMount;
  node: ModelNode;
}

export interface ModelTask {
  uid: number;
  gids: number[];
  root: Place;
  cwd: Place;
}

export type Outcome =
  | { errno: number }
  | { place: Place; trailing: boolean }
  | { parent: Place; last: string; trailing: boolean };

export class PathModel {
  readonly mounts: ModelMount[] = [];

  walk(task: ModelTask, path: string, flags: number): Outcome {
    let place = path.startsWith("/") ? task.root : task.cwd;
    let rest = path;
    let links = 0;
    if (path === "") return { errno: ENOENT };
    while (true) {
      rest = rest.replace(/^\/+/, "");
      if (rest === "") return { place, trailing: true };
      if (place.node.kind !== "dir") return { errno: ENOTDIR };
      if (!maySearch(task, place.node)) return { errno: EACCES };
      const [name] = rest.split("/", 1);
      const after = rest.slice(name.length);
      const isLast = /^\/*$/.test(after);
      const trailing = after !== "";
      let next: Place;
      if (name === ".") next = place;
      else if (name === "..") next = this.#up(task, place);
      else {
        if (isLast && trailing && flags & LOOKUP_OPEN) return { errno: EISDIR };
        if (name.length > 255) {
          if (!isLast || (flags & (LOOKUP_LAST | LOOKUP_OPEN)) !== LOOKUP_LAST) return { errno: ENAMETOOLONG };
          return { parent: place, last: name, trailing };
        }
        const child = place.node.entries.get(name);
        if (!child && isLast && flags & LOOKUP_LAST) return { parent: place, last: name, trailing };
        if (!child) return { errno: ENOENT };
        next = { mnt: place.mnt, node: child };
        if (!isLast || !(flags & LOOKUP_LAST) || flags & LOOKUP_OPEN) next = this.#down(next);
        const follows = !isLast || flags & LOOKUP_FOLLOW || (trailing && !(flags & LOOKUP_LAST));
        if (next.node.kind === "link" && follows) {
          if (++links > MAX_LINKS) return { errno: ELOOP };
          rest = next.node.target + after;
          if (rest.startsWith("/")) place = task.root;
          continue;
        }
      }
      if (!isLast) {
        place = next;
        rest = after;
        continue;
      }
      const wantsDir = flags & LOOKUP_DIRECTORY || (trailing && !(flags & LOOKUP_LAST));
      if (wantsDir && next.node.kind !== "dir") return { errno: ENOTDIR };
      return { place: next, trailing };
    }
  }

  #down(place: Place): Place {
    let at = place;
    while (true) {
      const mnt = this.mounts.findLast(({ parent, mountpoint }) => parent === at.mnt && mountpoint === at.node);
      if (!mnt) return at;
      at = { mnt, node: mnt.root };
    }
  }

  #up(task: ModelTask, place: Place): Place {
    let { mnt, node } = place;
    while (!(mnt === task.root.mnt && node === task.root.node)) {
      if (node !== mnt.root) return this.#down({ mnt, node: node.parent });
      if (!mnt.parent || !mnt.mountpoint) break;
      node = mnt.mountpoint;
      mnt = mnt.parent;
    }
    return { mnt, node };
  }
}

function maySearch({ uid, gids }: ModelTask, { mode, uid: owner, gid }: ModelNode): boolean {
  if (uid === 0) return true;
  const bits = uid === owner ? mode >> 6 : gids.includes(gid) ? mode >> 3 : mode;
  return (bits & 1) !== 0;
}
