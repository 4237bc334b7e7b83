/**
 * Links that stand for a place: the walk is set there, whatever the names on the way to it.
 *
 * Part of what file systems with a store bring with them (store-support.ts): the core knows bodies of links alone. What it
 * would do at the end of a link's body is done here, in the slot.
 *
 * @see Linux fs/namei.c nd_jump_link(), link_path_walk(); assembly/fs/namei.ts walkOn()
 */
import { ENOTDIR } from "../base/errno.ts";
import { type Core, SLOT } from "../wasm/core.ts";
import {
  BOOT_SLOT,
  LOOKUP_DIRECTORY,
  LOOKUP_LAST,
  SLOT_LINK_STACK,
  SLOT_ND_DENTRY,
  SLOT_ND_DEPTH,
  SLOT_ND_FLAGS,
  SLOT_ND_LINKS,
  SLOT_ND_MOUNT,
  SLOT_ND_NEXT,
} from "../wasm/layout.ts";
import type { LinkPlace } from "./fs-type.ts";
import { inodeOf, ndTrailing } from "./namei.ts";

const SLASH = 0x2f;
const LINK_STACK = (BOOT_SLOT + SLOT_LINK_STACK) >>> 2;

/**
 * Sets the walk, which stands before a link, at the place that it leads to. Mounts on the place are not entered.
 *
 * Precondition: somebody holds the place for as long as the walk takes.
 *
 * @returns 0 where the path goes on; else the dentry, or -ENOTDIR for what is to be a directory: the walk is over
 */
export function ndJumpLink(core: Core, { mnt, dentry }: LinkPlace): number {
  const { u32 } = core;
  u32[SLOT + SLOT_ND_LINKS]++;
  u32[SLOT + SLOT_ND_MOUNT] = mnt << 5;
  u32[SLOT + SLOT_ND_DENTRY] = dentry << 5;
  const rest = restOfPath(core);
  if (rest !== 0) {
    u32[SLOT + SLOT_ND_NEXT] = rest;
    return 0;
  }
  const flags = u32[SLOT + SLOT_ND_FLAGS];
  const isToBeDirectory = flags & LOOKUP_DIRECTORY || (ndTrailing(core) && !(flags & LOOKUP_LAST));
  return isToBeDirectory && !core.x.isDirectory(inodeOf(core, dentry)) ? -ENOTDIR : dentry;
}

/** Address of the next component behind the link, out of the bodies of links that end with it; 0 = there is none. */
function restOfPath(core: Core): number {
  const { u32 } = core;
  let at = afterSlashes(core, afterName(core, u32[SLOT + SLOT_ND_NEXT]));
  while (core.u8[at] === 0) {
    if (u32[SLOT + SLOT_ND_DEPTH] === 0) return 0;
    at = afterSlashes(core, u32[LINK_STACK + --u32[SLOT + SLOT_ND_DEPTH]]);
  }
  return at;
}

function afterName({ u8 }: Core, start: number): number {
  let at = start;
  while (u8[at] !== SLASH && u8[at] !== 0) at++;
  return at;
}

function afterSlashes({ u8 }: Core, start: number): number {
  let at = start;
  while (u8[at] === SLASH) at++;
  return at;
}
