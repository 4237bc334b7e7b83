// From a place in the tree back to its path (Linux fs/d_path.c).
import { ENAMETOOLONG, ENOENT, DCACHE_HASHED, PATH_MAX, RESULT_ADDRESS } from "../abi";
import { Dentry, nameOf } from "./dentry";
import { current, isNil, pathB, setResult } from "../kernel";
import { Mount } from "./mount";

/**
 * Writes the absolute path of a place, as the current task sees it, to the end of path buffer B.
 *
 * @returns its length in bytes, address in RESULT_ADDRESS; -ENOENT if it has been removed or lies outside of the task's
 *   root; -ENAMETOOLONG
 */
export function dPath(startMount: Mount, start: Dentry): i32 {
  const task = current();
  const end = pathB() + PATH_MAX;
  let at = end;
  let mnt = startMount;
  let dentry = start;
  while (!(dentry == task.rootDentry && mnt == task.rootMount)) {
    if (dentry == mnt.root) {
      if (isNil(mnt.parent)) return -ENOENT;
      dentry = mnt.mountpoint;
      mnt = mnt.parent;
      continue;
    }
    if (!(dentry.flags & DCACHE_HASHED)) return -ENOENT;
    const len = dentry.nameLen;
    if (at - pathB() < <usize>len + 2) return -ENAMETOOLONG;
    at -= len;
    memory.copy(at, nameOf(dentry), len);
    at--;
    store<u8>(at, 0x2f);
    dentry = dentry.parent;
  }
  if (at == end) {
    at--;
    store<u8>(at, 0x2f);
  }
  setResult(RESULT_ADDRESS, <f64>at);
  return <i32>(end - at);
}
