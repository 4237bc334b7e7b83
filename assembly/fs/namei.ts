// Path walk (Linux fs/namei.c link_path_walk), from a path in a buffer of the slot to a mount and a dentry.
//
//   "a/link/b"     ndNext ─► next byte of the path or of the link being followed
//                  ndMount, ndDentry: where the walk stands (borrowed: nothing is pinned between two calls of a task)
//   last directory where the last walk to a name stood: the next one whose path begins alike starts there
//   link stack     where to go on when the body of a symbolic link has been walked: an address per level, up to 40
//
// A step looks only at memory. Where a file system has a lookup, permission, getLink or revalidate of its own, the walk
// stops before the step with a negated HANDOVER_* code; TypeScript calls the operation, leaves the answer in the slot
// (ndPermitted, ndSupplied, ndRevalidated, ndLinkBody) and walks on: the step is taken again and finds the answer.
//
// Errors, in the order in which a walk meets them: ENOENT for an empty path; per component ENOTDIR (a file as a
// directory), EACCES (no search permission), ENAMETOOLONG (a name over 255 bytes, in a directory that has not been
// removed), ENOENT (missing), ELOOP (over 40 symbolic links); at the end ENOTDIR for a non-directory with a slash behind
// it. With LOOKUP_LAST a last name that is too long counts as missing: the caller finds it in ndLastLen.
import {
  DCACHE_MOUNTED, DCACHE_REFERENCED, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, ESTALE, HANDOVER_GET_LINK, HANDOVER_LOOKUP, HANDOVER_PERMISSION,
  HANDOVER_REVALIDATE, I_DEAD, I_SYMLINK_BODY, LAST_DOT, LAST_DOTDOT, LAST_NORM, LAST_ROOT, LOOKUP_DIRECTORY, LOOKUP_FOLLOW,
  LOOKUP_LAST, LOOKUP_OPEN, MAX_LINKS, MNT_EXPIRY_MARK, NAME_MAX, S_IFLNK, S_IFMT, SB_COMPLETE, SB_GET_LINK, SB_PERMISSION,
  SB_REVALIDATE, SLOT_LAST_DIR_BYTES, SLOT_LINK_STACK, VM_HANDOVER,
} from "../abi";
import { componentLength, dLookupHash, hashNameInline, sameName } from "./dcache";
import { Dentry } from "./dentry";
import { File } from "./file";
import { Inode, isDir } from "./inode";
import { countEvent, isNil, kernel, lastDir, nil, slot } from "../kernel";
import { lookupMount, Mount } from "./mount";
import { maySearch } from "./permission";
import { Task } from "./task";
import { accessInode } from "./read-write";

const SLASH: u8 = 0x2f;
const DOT: u8 = 0x2e;

/**
 * Walks a path of the current task.
 *
 * @param path address of the path, followed by 8 zero bytes
 * @param base directory that a relative path starts from, nil = the task's working directory
 * @param flags LOOKUP_*
 * @returns handle-able dentry address >> 5, also in ndDentry with its mount in ndMount; with LOOKUP_LAST 0 when only the
 *   last component is missing (ndParent, ndLast...); a negated errno or HANDOVER_*
 */
export function pathWalk(path: usize, base: File, flags: u32): i32 {
  const s = slot();
  const task = s.current;
  s.ndFlags = flags;
  s.ndDepth = 0;
  s.ndLinks = 0;
  s.ndRepeats = 1;
  s.ndNext = path;
  s.ndPath = 0;
  s.ndPermitted = nil<Inode>();
  s.ndSupplied = nil<Dentry>();
  s.ndRevalidated = nil<Dentry>();
  s.ndLinkBody = 0;
  const first = load<u8>(path);
  if (!first) return -ENOENT;
  if (first == SLASH) {
    s.ndPath = path;
    if (!startInLastDir(path)) startAtRoot(task);
  } else if (isNil(base)) {
    s.ndMount = task.cwdMount;
    s.ndDentry = task.cwdDentry;
  } else {
    s.ndMount = base.mnt;
    s.ndDentry = base.dentry;
  }
  return walkOn();
}

// @ts-ignore: decorator
@inline function startAtRoot(task: Task): void {
  const s = slot();
  s.ndMount = task.rootMount;
  s.ndDentry = task.rootDentry;
}

/**
 * Starts in the slot's last directory, if the path goes on from there. @returns false when it does not
 *
 * What it buys: a lookup for each component but the last, some 20 ns each.
 */
// @ts-ignore: decorator
@inline function startInLastDir(path: usize): bool {
  const s = slot();
  const len = s.lastDirLen;
  if (!len || s.lastDirVersion != kernel().pathVersion || !sameName(lastDir(), path, len)) return false;
  const next = load<u8>(path + len);
  if (!next || next == SLASH) return false; // the directory itself is asked for
  s.ndNext = path + len;
  s.ndMount = s.lastDirMount;
  s.ndDentry = s.lastDirDentry;
  return true;
}

/** Makes `dir`, whose path ends before `name`, the slot's last directory, if the same walk would lead there again. */
// @ts-ignore: decorator
@inline function noteLastDir(dir: Dentry, name: usize): void {
  const s = slot();
  const len = <u32>(name - s.ndPath);
  const version = kernel().pathVersion;
  if (dir == s.lastDirDentry && len == s.lastDirLen && version == s.lastDirVersion) return;
  if (!s.ndPath || !s.ndRepeats || len > SLOT_LAST_DIR_BYTES || dir == s.current.rootDentry) return;
  for (let i: usize = 0; i < len; i += 8) store<u64>(lastDir() + i, load<u64>(s.ndPath + i));
  s.lastDirLen = len;
  s.lastDirVersion = version;
  s.lastDirMount = s.ndMount;
  s.lastDirDentry = dir;
}

/**
 * Would an earlier walk of the task, which had LOOKUP_FOLLOW and ndRepeats, end as it did?
 *
 * @param isThere false = it ended with -ENOENT
 * @param version pathVersion then, with goneVersion added to it, after -ENOENT with nameVersion
 * @returns 0, or again -ENOENT; -ESTALE when the walk has to be done again
 */
// @ts-ignore: decorator
@inline export function walkKnown(isThere: bool, version: u32): i32 {
  const k = kernel();
  if (k.pathVersion + (isThere ? k.goneVersion : k.nameVersion) != version) return -ESTALE;
  return isThere ? 0 : -ENOENT;
}

/** Goes on from where the walk stands: at its start, or after a handover. */
export function walkOn(): i32 {
  const s = slot();
  const cred = s.current.cred;
  const flags = s.ndFlags;
  let at = s.ndNext;
  let dir = s.ndDentry;
  while (true) {
    while (load<u8>(at) == SLASH) at++;
    if (!load<u8>(at)) {
      if (s.ndDepth) { // the body of a link ends in slashes or is "/": go on behind the link
        at = popLink();
        continue;
      }
      s.ndDentry = dir;
      return finishAtRoot(dir);
    }
    const inode = dir.inode;
    s.ndNext = at;
    s.ndDentry = dir;
    if (!isDir(inode)) return -ENOTDIR;
    if (inode.sb.flags & SB_PERMISSION) {
      if (s.ndPermitted != inode) return handover(HANDOVER_PERMISSION);
    } else {
      const rc = maySearch(cred, inode);
      if (rc) return rc;
    }
    const len = componentLength(at);
    let next = at + len;
    while (load<u8>(next) == SLASH) next++;
    const trailing = next != at + len;
    const last = load<u8>(next) == 0 && (s.ndDepth == 0 || nothingSaved());

    if (load<u8>(at) == DOT && (len == 1 || (len == 2 && load<u8>(at + 1) == DOT))) {
      if (last) {
        s.ndParent = dir;
        s.ndParentMount = s.ndMount;
        setLast(at, len, len == 1 ? LAST_DOT : LAST_DOTDOT, trailing);
      }
      if (len == 2) dir = followDotDot(dir);
      at = next;
      if (!load<u8>(at) && s.ndDepth) at = popLink();
      if (last) return finish(dir);
      continue;
    }

    if (last) {
      s.ndParent = dir;
      s.ndParentMount = s.ndMount;
      setLast(at, len, LAST_NORM, trailing);
      noteLastDir(dir, at);
      if (flags & LOOKUP_OPEN && s.ndTrailing) return -EISDIR; // a file is to be made, and slashes want a directory
    }
    if (len > NAME_MAX) {
      if (!last || (flags & (LOOKUP_LAST | LOOKUP_OPEN)) != LOOKUP_LAST) return inode.state & I_DEAD ? -ENOENT : -ENAMETOOLONG;
      s.ndDentry = nil<Dentry>(); // what the caller checks before it looks at the last name comes first
      return 0;
    }
    const hash = hashNameInline(dir, at, len);
    s.ndHash = hash;
    let dentry = dLookupHash(dir, at, len, hash);
    const sbFlags = inode.sb.flags;
    if (!(sbFlags & SB_COMPLETE)) { // names of this file system may have to be asked for
      if (!isNil(s.ndSupplied)) {
        dentry = s.ndSupplied;
        s.ndSupplied = nil<Dentry>();
      } else if (isNil(dentry)) {
        if (!(inode.state & I_DEAD)) { // what has been removed has no names, and none that is not there is to keep it
          s.ndParent = dir;
          s.ndParentMount = s.ndMount;
          s.ndLast = at;
          s.ndLastLen = len;
          return handover(HANDOVER_LOOKUP);
        }
      } else if (sbFlags & SB_REVALIDATE && s.ndRevalidated != dentry) {
        s.ndCandidate = dentry;
        return handover(HANDOVER_REVALIDATE);
      } else dentry.flags |= <u16>DCACHE_REFERENCED;
      s.ndRevalidated = nil<Dentry>();
      s.ndPermitted = nil<Inode>();
    }
    if (isNil(dentry) || isNil(dentry.inode)) {
      if (last && flags & LOOKUP_LAST) {
        s.ndDentry = nil<Dentry>();
        return 0;
      }
      return -ENOENT;
    }
    if (dentry.flags & DCACHE_MOUNTED && (!last || !(flags & LOOKUP_LAST) || flags & LOOKUP_OPEN)) dentry = followMounts(dentry);

    if ((dentry.inode.mode & S_IFMT) == S_IFLNK && followsLink(last, flags)) {
      if (s.ndLinks >= MAX_LINKS) return -ELOOP;
      const body = linkBody(dentry);
      if (body == 1) {
        s.ndDentry = dir;
        s.ndLinkInode = dentry.inode;
        return handover(HANDOVER_GET_LINK);
      }
      s.ndLinks++;
      s.ndRepeats = 0; // following a link changes its access time
      accessInode(dentry.inode, s.ndMount.flags);
      if (!body || !load<u8>(body)) return -ENOENT;
      pushLink(trailing && last ? at + len : next);
      at = body;
      if (load<u8>(at) == SLASH) {
        startAtRoot(s.current);
        dir = s.ndDentry;
      }
      continue;
    }
    dir = dentry;
    at = next;
    if (last) return finish(dir);
    if (!load<u8>(at)) at = popLink(); // the end of a link's body
  }
  return -ENOENT;
}

/** A last component that is a link is followed if asked for, or if slashes behind it, or behind the link that led to it, ask for a directory. */
// @ts-ignore: decorator
@inline function followsLink(last: bool, flags: u32): bool {
  if (!last || flags & LOOKUP_FOLLOW) return true;
  return slot().ndTrailing != 0 && !(flags & LOOKUP_LAST);
}

// @ts-ignore: decorator
@inline function setLast(at: usize, len: u32, type: u32, trailing: bool): void {
  const s = slot();
  s.ndLast = at;
  s.ndLastLen = len;
  s.ndLastType = type;
  s.ndTrailing = trailing || (s.ndDepth && savedSlash()) ? 1 : 0;
}

/** End of a path of slashes alone ("/", or a link to it at the end of a path). */
function finishAtRoot(dir: Dentry): i32 {
  const s = slot();
  s.ndParent = dir;
  s.ndParentMount = s.ndMount;
  s.ndLastType = LAST_ROOT;
  s.ndLastLen = 0;
  s.ndTrailing = 1;
  return finish(dir);
}

function finish(dentry: Dentry): i32 {
  const s = slot();
  s.ndDentry = dentry;
  if ((s.ndFlags & LOOKUP_DIRECTORY || (s.ndTrailing && !(s.ndFlags & LOOKUP_LAST))) && !isDir(dentry.inode)) return -ENOTDIR;
  return <i32>(changetype<usize>(dentry) >> 5);
}

/** The next walk is to ask again, even if this one goes on with an answer. */
function handover(code: u32): i32 {
  slot().ndRepeats = 0;
  countEvent(VM_HANDOVER);
  return -(<i32>code);
}

// --- Symbolic links -------------------------------------------------------------------------------------------------

// @ts-ignore: decorator
@inline function stackAt(depth: u32): usize {
  return changetype<usize>(slot()) + SLOT_LINK_STACK + (<usize>depth << 2);
}

function pushLink(goOnAt: usize): void {
  const s = slot();
  store<u32>(stackAt(s.ndDepth), <u32>goOnAt);
  s.ndDepth++;
}

function popLink(): usize {
  const s = slot();
  s.ndDepth--;
  return load<u32>(stackAt(s.ndDepth));
}

/** True if nothing but slashes is left behind the links being followed. */
function nothingSaved(): bool {
  const depth = slot().ndDepth;
  for (let i: u32 = 0; i < depth; i++) {
    let at: usize = load<u32>(stackAt(i));
    while (load<u8>(at) == SLASH) at++;
    if (load<u8>(at)) return false;
  }
  return true;
}

/** True if slashes follow the links being followed. */
function savedSlash(): bool {
  const depth = slot().ndDepth;
  for (let i: u32 = 0; i < depth; i++) if (load<u8>(<usize>load<u32>(stackAt(i))) == SLASH) return true;
  return false;
}

/** Address of a link's target; 1 = TypeScript has to be asked; 0 = the link has none. */
// @ts-ignore: decorator
@inline function linkBody(dentry: Dentry): usize {
  const inode = dentry.inode;
  if (inode.state & I_SYMLINK_BODY) return inode.private0;
  if (!(inode.sb.flags & SB_GET_LINK)) return 0;
  const s = slot();
  if (!s.ndLinkBody || s.ndLinkInode != inode) return 1;
  const body = s.ndLinkBody;
  s.ndLinkBody = 0;
  return body;
}

// --- Mounts -----------------------------------------------------------------------------------------------------------

/** Goes down from a mountpoint to the root of what is mounted there, through mounts on mounts. */
export function followMounts(mountpoint: Dentry): Dentry {
  const s = slot();
  let dentry = mountpoint;
  while (dentry.flags & DCACHE_MOUNTED) {
    const mnt = lookupMount(s.ndMount, dentry);
    if (isNil(mnt)) break;
    if (mnt.flags & MNT_EXPIRY_MARK) mnt.flags &= ~MNT_EXPIRY_MARK;
    s.ndMount = mnt;
    dentry = mnt.root;
  }
  return dentry;
}

/** One step up: not above the task's root, out of mounts from their roots, and down into what is mounted there. */
function followDotDot(start: Dentry): Dentry {
  const s = slot();
  const task = s.current;
  let dentry = start;
  while (!(dentry == task.rootDentry && s.ndMount == task.rootMount)) {
    if (dentry != s.ndMount.root) {
      dentry = dentry.parent;
      return followMounts(dentry);
    }
    const mnt: Mount = s.ndMount;
    if (isNil(mnt.parent)) return dentry;
    dentry = mnt.mountpoint;
    s.ndMount = mnt.parent;
  }
  return dentry;
}
