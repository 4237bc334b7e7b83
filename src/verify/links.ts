/** Names and links: what an inode in memory counts is what there is. Roots of super blocks. */
import {
  BOGO_DIRENT_SIZE,
  DCACHE_PERSISTENT,
  I_DEAD,
  INODE_COUNT,
  INODE_NLINK,
  INODE_SIZE,
  INODE_STATE,
} from "../wasm/layout.ts";
import { demand } from "./demand.ts";
import type { SoundDentry } from "./dentries.ts";
import type { SoundInode } from "./inodes.ts";
import type { Memory } from "./memory.ts";
import type { SoundSuper } from "./supers.ts";

interface Names {
  nrNames: number;
  nrChildren: number;
  nrSubdirectories: number;
}

/** Links of a directory beside those of the directories in it: its name, and "." in it. */
const OWN_LINKS = 2;

/** @throws SnapshotError */
export function checkLinks(
  memory: Memory,
  dentries: ReadonlyMap<number, SoundDentry>,
  inodes: ReadonlyMap<number, SoundInode>,
): void {
  const names = new Map<SoundInode, Names>();
  const namesOf = (inode: SoundInode): Names => {
    const known = names.get(inode) ?? { nrNames: 0, nrChildren: 0, nrSubdirectories: 0 };
    names.set(inode, known);
    return known;
  };
  for (const { flags, inode, parent } of dentries.values()) {
    if (!(flags & DCACHE_PERSISTENT) || inode === undefined) continue;
    namesOf(inode).nrNames++;
    const above = namesOf(dentries.get(parent)?.inode as SoundInode);
    above.nrChildren++;
    if (inode.isDir) above.nrSubdirectories++;
  }
  for (const inode of inodes.values()) if (inode.sb.isComplete) checkCounts(memory, inode, namesOf(inode));
}

function checkCounts(memory: Memory, { address, at, isDir, sb }: SoundInode, names: Names): void {
  const { nrNames, nrChildren, nrSubdirectories } = names;
  const nlink = memory.u32[at + INODE_NLINK];
  if (memory.u32[at + INODE_COUNT] === 0) return; // it waits to be found by its number
  if (!isDir) {
    demand(nlink === nrNames, "nlink is not the number of an inode's names", address);
    return;
  }
  const isDead = (memory.u32[at + INODE_STATE] & I_DEAD) !== 0;
  demand(nrNames <= 1, "a directory has two names", address);
  demand(isDead === (nlink === 0), "a directory is dead, but has links, or the other way round", address);
  demand(
    isDead || !sb.isOwn || nlink === OWN_LINKS + nrSubdirectories,
    "nlink is not the number of a directory's links",
    address,
  );
  demand(!isDead || (nrNames === 0 && nrSubdirectories === 0), "a dead directory has a name, or names in it", address);
  const size = memory.f64[(at >>> 1) + INODE_SIZE];
  const isSized = size === BOGO_DIRENT_SIZE * (OWN_LINKS + nrChildren);
  demand(isSized || !sb.isOwn, "the size of a directory is not that of its names", address);
}

/** The root of a super block is a directory of it, above which there is none. @throws SnapshotError */
export function checkRoots(supers: ReadonlyMap<number, SoundSuper>, dentries: ReadonlyMap<number, SoundDentry>): void {
  for (const sb of supers.values()) {
    const root = dentries.get(sb.root);
    const isRoot =
      root?.inode !== undefined && root.inode.sb === sb && root.inode.isDir && root.parent === root.address;
    demand(isRoot, "the root of a super block is none", sb.address);
  }
}
