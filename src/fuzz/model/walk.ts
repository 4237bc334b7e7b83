/**
 * Paths to inodes.
 *
 * Each component is looked up in a directory that one may search; symbolic links on the way are followed, 40 of them at most. The
 * last component is left to the call, since calls differ in what they do there.
 *
 * Errors, as they come up from the left: ENOENT for no path at all and what is not there, ENAMETOOLONG for 4096 bytes, and for
 * names of 256, ENOTDIR where something is looked up in what is no directory, EACCES where one may not search, ELOOP.
 *
 * @see Linux fs/namei.c link_path_walk(), path_lookupat(); path_resolution(7)
 */
import { NAME_MAX, PATH_MAX } from "../../base/stat-flags.ts";
import { type Credentials, MAY_EXEC, permit } from "./credentials.ts";
import { fail } from "./fault.ts";
import { type Dentry, Directory, type Inode, SymbolicLink } from "./inode.ts";

const MAX_LINKS = 40;

/** Where a walk begins, and who walks. */
export interface Walker {
  readonly who: Credentials;
  readonly root: Directory;
  readonly cwd: Directory;
  /** The name that the last path led to. */
  reached: Dentry | undefined;
}

/** The last component, not looked up yet. */
export interface Last {
  readonly dir: Directory;
  /** "" for a path of slashes alone: the root itself. */
  readonly name: string;
  /** Whether a slash comes behind it: then it has to be a directory. */
  readonly hasSlash: boolean;
}

/** A component that can be made or removed: the others lead to what is there anyway. */
export function isName({ name }: Last): boolean {
  return name !== "" && name !== "." && name !== "..";
}

/** What the kernel asks of the bytes of a path before it looks at them. @throws ENOENT, ENAMETOOLONG */
export function checkPath(path: string): void {
  if (path === "") fail("ENOENT");
  if (path.length >= PATH_MAX) fail("ENAMETOOLONG");
}

/** One walk, which may go on at the end of a symbolic link. */
export class Walk {
  readonly #by: Walker;
  #nrLinks = 0;

  constructor(by: Walker) {
    this.#by = by;
  }

  /** Walks up to the last component. */
  begin(path: string): Last {
    checkPath(path);
    return this.#walk(this.#by.cwd, path);
  }

  /** Goes on where a link leads to. @param dir where the link is */
  follow(dir: Directory, link: SymbolicLink): Last {
    return this.#walk(dir, this.#read(link));
  }

  #read(link: SymbolicLink): string {
    if (this.#nrLinks++ >= MAX_LINKS) fail("ELOOP");
    link.accessed();
    return link.target;
  }

  /** @param from where a relative path begins */
  #walk(from: Directory, path: string): Last {
    let dir = path.startsWith("/") ? this.#by.root : from;
    let rest = path.replace(/^\/+/, "");
    if (rest === "") return { dir, name: "", hasSlash: false };
    for (;;) {
      permit(this.#by.who, dir, MAY_EXEC);
      const slash = rest.indexOf("/");
      const name = slash < 0 ? rest : rest.slice(0, slash);
      const behind = rest.slice(name.length).replace(/^\/+/, "");
      if (behind === "") return { dir, name, hasSlash: slash >= 0 };
      rest = behind;
      const inode = this.lookUp(dir, name) ?? fail("ENOENT");
      if (inode instanceof Directory) dir = inode;
      else if (inode instanceof SymbolicLink) {
        const target = this.#read(inode);
        if (target.startsWith("/")) dir = this.#by.root;
        rest = `${target}/${rest}`.replace(/^\/+/, "");
      } else fail("ENOTDIR");
    }
  }

  /** What a component names; undefined if there is nothing. @throws ENOENT in a directory that has been removed, ENAMETOOLONG */
  lookUp(dir: Directory, name: string): Inode | undefined {
    if (name === "" || name === ".") return dir;
    if (name === "..") return dir === this.#by.root ? dir : dir.parent;
    if (dir.isDead) fail("ENOENT");
    if (name.length > NAME_MAX) fail("ENAMETOOLONG");
    return dir.get(name);
  }
}

/** The name by which a walk got to an inode: of a directory that it was not looked up by, as `.` and `..` are, its own. */
export function dentryAt(last: Last, inode: Inode): Dentry | undefined {
  return inode instanceof Directory ? inode.dentry : last.dir.dentryOf(last.name);
}

/** How the last component is taken. */
export interface Ending {
  /** Follows a link there; a slash behind it does so anyway. */
  readonly follows: boolean;
  /** It has to be a directory; a slash behind it says so, too. */
  readonly isDirectory?: boolean;
}

/** What a path leads to, which is there. @throws as above, and ENOTDIR at the end */
export function resolve(by: Walker, path: string, ending: Ending): Inode {
  const walk = new Walk(by);
  let { follows, isDirectory = false } = ending;
  for (let last = walk.begin(path); ; ) {
    if (isName(last) && last.hasSlash) follows = isDirectory = true;
    const inode = walk.lookUp(last.dir, last.name) ?? fail("ENOENT");
    if (follows && inode instanceof SymbolicLink) {
      last = walk.follow(last.dir, inode);
      continue;
    }
    if (isDirectory && !(inode instanceof Directory)) fail("ENOTDIR");
    by.reached = dentryAt(last, inode);
    return inode;
  }
}
