// Attributes of an inode for JavaScript (Linux fs/stat.c generic_fillattr). statfs is src/vfs/attr.ts's.
import { I_SYMLINK_BODY, PAGE_SIZE, RESULT_STAT, SLOT_RESULT } from "../abi";
import { hostOf, Inode, linkBlocks, nrReserved } from "./inode";
import { setResult, slot } from "../kernel";

/** Writes the 18 numbers of a stat to the result block, in Node's order. */
export function fillStat(inode: Inode): void {
  const at = changetype<usize>(slot()) + SLOT_RESULT + (RESULT_STAT << 3);
  store<f64>(at, inode.sb.dev);
  store<f64>(at, inode.mode, 8);
  store<f64>(at, inode.nlink, 16);
  store<f64>(at, inode.uid, 24);
  store<f64>(at, inode.gid, 32);
  store<f64>(at, inode.rdev, 40);
  store<f64>(at, inode.sb.blockSize, 48);
  store<f64>(at, inode.ino, 56);
  store<f64>(at, inode.size, 64);
  store<f64>(at, <f64>nrBlockPages(inode) * (PAGE_SIZE / 512), 72);
  store<f64>(at, inode.atimeSec, 80);
  store<f64>(at, inode.atimeNsec, 88);
  store<f64>(at, inode.mtimeSec, 96);
  store<f64>(at, inode.mtimeNsec, 104);
  store<f64>(at, inode.ctimeSec, 112);
  store<f64>(at, inode.ctimeNsec, 120);
  store<f64>(at, inode.btimeSec, 128);
  store<f64>(at, inode.btimeNsec, 136);
}

/** As fillStat(), of an inode that has the pages of one of a layer: its attributes, under the numbers of the file system above (stack.ts). */
export function fillStacked(inode: Inode): void {
  fillStat(hostOf(inode.mapping));
  setResult(RESULT_STAT, inode.btimeSec);
  setResult(RESULT_STAT + 7, inode.atimeSec);
}

/** Pages that count as the file's blocks. */
// @ts-ignore: decorator
@inline export function nrBlockPages(inode: Inode): u32 {
  return inode.state & I_SYMLINK_BODY ? linkBlocks(<u32>inode.size) : inode.nrPages + nrReserved(inode);
}
