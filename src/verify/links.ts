/** Names and links: what an inode in memory counts is what there is. Roots of super blocks. */
import {
  BOGO_DIRENT_SIZE,
  CACHE_INODE,
  DCACHE_PERSISTENT,
  I_DEAD,
  INODE_COUNT,
  INODE_NLINK,
  INODE_SIZE,
} from "../wasm/layout.ts";
import { demand } from "./demand.ts";
import type { Dentries } from "./dentries.ts";
import type { Inodes } from "./inodes.ts";
import type { Memory } from "./memory.ts";
import type { SoundSuper } from "./supers.ts";

/** By number of an inode's record: its names, those in it, and which of these are directories'. */
interface Names {
  readonly nrNames: Uint32Array;
  readonly nrChildren: Uint32Array;
  readonly nrSubdirectories: Uint32Array;
}

/** Links of a directory beside those of the directories in it: its name, and "." in it. */
const OWN_LINKS = 2;

/** @throws SnapshotError */
export function checkLinks(memory: Memory, dentries: Dentries, inodes: Inodes): void {
  const { slabs } = memory;
  const names = countNames(memory, dentries, inodes);
  for (const address of inodes.all)
    if (inodes.sb(address).isComplete) checkCounts(memory, inodes, address, names, slabs.number(CACHE_INODE, address));
}

function countNames({ slabs }: Memory, dentries: Dentries, inodes: Inodes): Names {
  const counts = (): Uint32Array => new Uint32Array(slabs.nr);
  const names = { nrNames: counts(), nrChildren: counts(), nrSubdirectories: counts() };
  for (const dentry of dentries.all) {
    const inode = dentries.inode(dentry);
    if (!(dentries.flags(dentry) & DCACHE_PERSISTENT) || inode === 0) continue;
    names.nrNames[slabs.number(CACHE_INODE, inode)]++;
    const above = slabs.number(CACHE_INODE, dentries.inode(dentries.parent(dentry)));
    names.nrChildren[above]++;
    if (inodes.isDir(inode)) names.nrSubdirectories[above]++;
  }
  return names;
}

function checkCounts(memory: Memory, inodes: Inodes, address: number, names: Names, number: number): void {
  const [nrNames, nrChildren] = [names.nrNames[number], names.nrChildren[number]];
  const nrSubdirectories = names.nrSubdirectories[number];
  const { isOwn } = inodes.sb(address);
  const at = memory.image.at(address);
  const nlink = memory.u32[at + INODE_NLINK];
  if (memory.u32[at + INODE_COUNT] === 0) return; // it waits to be found by its number
  if (!inodes.isDir(address)) {
    demand(nlink === nrNames, "nlink is not the number of an inode's names", address);
    return;
  }
  const isDead = (inodes.state(address) & I_DEAD) !== 0;
  demand(nrNames <= 1, "a directory has two names", address);
  demand(isDead === (nlink === 0), "a directory is dead, but has links, or the other way round", address);
  demand(
    isDead || !isOwn || nlink === OWN_LINKS + nrSubdirectories,
    "nlink is not the number of a directory's links",
    address,
  );
  demand(!isDead || (nrNames === 0 && nrSubdirectories === 0), "a dead directory has a name, or names in it", address);
  const size = memory.f64[(at >>> 1) + INODE_SIZE];
  const isSized = size === BOGO_DIRENT_SIZE * (OWN_LINKS + nrChildren);
  demand(isSized || !isOwn, "the size of a directory is not that of its names", address);
}

/** The root of a super block is a directory of it, above which there is none. @throws SnapshotError */
export function checkRoots(supers: ReadonlyMap<number, SoundSuper>, dentries: Dentries, inodes: Inodes): void {
  for (const sb of supers.values()) {
    const inode = dentries.inode(sb.root);
    const isRoot =
      inode !== 0 && inodes.sb(inode) === sb && inodes.isDir(inode) && dentries.parent(sb.root) === sb.root;
    demand(isRoot, "the root of a super block is none", sb.address);
  }
}
