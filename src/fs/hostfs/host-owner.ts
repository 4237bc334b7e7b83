/**
 * To whom something new belongs, and with which bits.
 *
 * Node can give files away as root only; else what is made belongs to the user that it runs as.
 *
 * @see Linux fs/inode.c inode_init_owner()
 */
import process from "node:process";
import type { InodeHandle } from "../../base/handles.ts";
import { S_IFDIR, S_IFMT, S_ISGID } from "../../base/stat-flags.ts";
import { servedCred } from "../../vfs/cred.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import { CRED_GID, CRED_UID, INODE_GID, INODE_MODE } from "../../wasm/layout.ts";
import type { NewAttributes } from "./host-store.ts";
import type { HostOptions } from "./options.ts";

const ROOT = 0;

/** @param mode type and permission bits, without umask */
export function newAttributes({ core }: Kernel, options: HostOptions, dir: InodeHandle, mode: number): NewAttributes {
  const { u32 } = core;
  const cred = servedCred(core);
  const passesGroup = (u32[(dir << 3) + INODE_MODE] & S_ISGID) !== 0;
  const bits = passesGroup && (mode & S_IFMT) === S_IFDIR ? mode | S_ISGID : mode;
  if (process.geteuid?.() !== ROOT) return { mode: bits };
  const wanted = [u32[cred + CRED_UID], passesGroup ? u32[(dir << 3) + INODE_GID] : u32[cred + CRED_GID]];
  const uid = options.uid === undefined && wanted[0] !== ROOT ? wanted[0] : undefined;
  const gid = options.gid === undefined && wanted[1] !== process.getegid?.() ? wanted[1] : undefined;
  return { mode: bits, uid, gid };
}
