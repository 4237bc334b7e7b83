/**
 * Mount options of the file systems that live in memory, and what they share of making a super block.
 *
 * Does not own: which options a file system has (ramfs.ts), and limits (tmpfs.ts).
 */
import { S_IALLUGO } from "../base/stat-flags.ts";
import type { SuperBlock } from "../vfs/super-block.ts";
import { PAGE_SIZE } from "../wasm/layout.ts";
import { SIMPLE_DIRECTORY } from "./libfs.ts";

/** Words of the super block that keep the options of its root directory; the fourth is the file system's. */
const MODE = 0;
const UID = 1;
const GID = 2;

/** What mount options say; what they do not say is missing. */
export interface MemoryOptions {
  /** Limit in pages, 0 = none. */
  blocks?: number;
  /** Limit, 0 = none. */
  inodes?: number;
  mode?: number;
  uid?: number;
  gid?: number;
  noswap?: 1;
}

/** A number as the kernel reads it, hexadecimal and octal by prefix, then its unit. @see Linux lib/cmdline.c memparse() */
const NUMBER = /^(0x[\da-f]+|0[0-7]*|[1-9]\d*|)([kmgtpe]?)(%?)$/i;
const UNITS = " kmgtpe";

/**
 * Reads the options of tmpfs, of which ramfs has some. Sizes are bytes, with k, m, g and so on, or percent of `ram` pages.
 *
 * @returns undefined for an option that tmpfs does not have, and for a value that is none
 * @see Linux mm/shmem.c shmem_parse_one()
 */
export function parseOptions(data: string, ram: number): MemoryOptions | undefined {
  const options: MemoryOptions = {};
  for (const option of data.split(",").filter((part) => /^[^=]/.test(part))) {
    if (option === "noswap") options.noswap = 1;
    else if (!parseOption(options, option, ram)) return undefined;
  }
  return options;
}

function parseOption(options: MemoryOptions, option: string, ram: number): boolean {
  const [, name, text] = /^(\w+)=(.+)$/.exec(option) ?? [];
  if (name === "mode") {
    options.mode = Number.parseInt(text, 8) & S_IALLUGO;
    return /^[0-3]?[0-7]{1,10}$/.test(text);
  }
  const [, digits, unit, percent] = NUMBER.exec(text) ?? [];
  if (digits === undefined || (percent && name !== "size")) return false;
  const scale = 1024 ** UNITS.indexOf(unit.toLowerCase() || " ");
  const number = (/^0\d/.test(digits) ? Number.parseInt(digits, 8) : +digits) * scale;
  if (name === "uid" || name === "gid") {
    options[name] = number;
    return digits !== "" && unit === "" && number < 2 ** 32 - 1;
  }
  if (name === "nr_inodes") {
    options.inodes = number;
    return number < 2 ** 54;
  }
  options.blocks = name === "size" ? Math.ceil(percent ? (number * ram) / 100 : number / PAGE_SIZE) : number;
  return name === "size" || (name === "nr_blocks" && number < 2 ** 63);
}

/**
 * Makes the root directory, as `options` say, of a file system in memory, and notes them for the mount table.
 *
 * @returns 0 or -ENOMEM
 */
export function makeMemoryRoot(sb: SuperBlock, options: MemoryOptions, defaultMode: number): number {
  const { mode = defaultMode, uid = 0, gid = 0 } = options;
  for (const [i, value] of [mode, uid, gid].entries()) sb.setPrivate(i, value);
  return sb.makeRoot(mode, uid, gid, SIMPLE_DIRECTORY);
}

/** Options of the root directory that are not the default, false in the place of others. */
export function rootOptions(sb: SuperBlock, defaultMode: number): (string | false)[] {
  const mode = sb.getPrivate(MODE);
  const owners = [UID, GID].map((i) => sb.getPrivate(i) > 0 && `${i === UID ? "uid" : "gid"}=${sb.getPrivate(i)}`);
  return [mode !== defaultMode && `mode=${mode.toString(8).padStart(3, "0")}`, ...owners];
}
