// Memory that shadows of reclaimed pages cost, given back when frames run out (Linux: the shrinker of workingset.c).
import { ownMapping } from "./inode";
import { isNil, kernel } from "../kernel";
import { dropShadowNodes } from "../mm/workingset";

/** Frees the leaves of all page indexes that hold nothing but shadows. One pass over the inodes, and only where there are such leaves. */
export function shrinkShadows(): void {
  if (kernel().nrShadowNodes) kernel().indexVersion++;
  for (let sb = kernel().superBlocks; !isNil(sb); sb = sb.next) {
    for (let inode = sb.inodes; !isNil(inode); inode = inode.sbNext) {
      if (!kernel().nrShadowNodes) return;
      dropShadowNodes(ownMapping(inode));
    }
  }
}
