/**
 * Mount options of hostfs: "ro,uid=1000,dmask=022,ttl=1000,maxfds=256,cache=none".
 *
 * Does not own: what they do (host-store.ts, fd-cache.ts), the VFS's own options (vfs/mount-flags.ts).
 *
 * @see mount.vboxsf(8) for uid, gid, dmode, fmode, dmask, fmask and ttl
 */
import { S_IFDIR, S_IFLNK, S_IFMT } from "../../base/stat-flags.ts";

/** How data goes between the pages and the host. */
export type HostCache = "none" | "writethrough" | "writeback";

/** Options as they are in force. What is undefined is as the host has it. */
export interface HostOptions {
  readonly isReadOnly: boolean;
  /** Owner and group of everything. */
  readonly uid?: number;
  readonly gid?: number;
  /** Permission bits of directories, and of all that is neither directory nor symbolic link. */
  readonly dmode?: number;
  readonly fmode?: number;
  /** Permission bits that are taken away. */
  readonly dmask: number;
  readonly fmask: number;
  /** How long names and attributes are believed, milliseconds. */
  readonly ttlMs: number;
  /** Host descriptors kept open. */
  readonly maxFds: number;
  readonly cache: HostCache;
}

/** Of a mount that says nothing. */
export const HOST_DEFAULTS: HostOptions = Object.freeze({
  isReadOnly: false,
  dmask: 0,
  fmask: 0,
  ttlMs: 1000,
  maxFds: 256,
  cache: "writethrough",
});

/** Whom chown() leaves alone, so that nobody can be it. */
const NO_ID = 0xffffffff;
const MAX_TTL_MS = 2 ** 31 - 1;
const MAX_FDS = 2 ** 20;

type Parse = (value: string) => Partial<HostOptions> | undefined;

/** A number of decimal digits from `min` to `max`. */
function decimal(key: keyof HostOptions, min: number, max: number): Parse {
  return (value) => {
    const number = /^\d{1,10}$/.test(value) ? Number(value) : -1;
    return number >= min && number <= max ? { [key]: number } : undefined;
  };
}

/** Permission bits in octal, with set-ID and sticky bits. */
function octal(key: keyof HostOptions): Parse {
  return (value) => (/^0?[0-7]{1,4}$/.test(value) ? { [key]: Number.parseInt(value, 8) } : undefined);
}

/** A word that stands alone. */
function flag(options: Partial<HostOptions>): Parse {
  return (value) => (value === "" ? options : undefined);
}

const PARSERS = new Map<string, Parse>([
  ["ro", flag({ isReadOnly: true })],
  ["rw", flag({ isReadOnly: false })],
  ["uid", decimal("uid", 0, NO_ID - 1)],
  ["gid", decimal("gid", 0, NO_ID - 1)],
  ["dmode", octal("dmode")],
  ["fmode", octal("fmode")],
  ["dmask", octal("dmask")],
  ["fmask", octal("fmask")],
  ["ttl", decimal("ttlMs", 0, MAX_TTL_MS)],
  ["maxfds", decimal("maxFds", 1, MAX_FDS)],
  [
    "cache",
    (value) => (value === "none" || value === "writethrough" || value === "writeback" ? { cache: value } : undefined),
  ],
]);

/**
 * Reads options; the last of one kind counts, as in mount(8).
 *
 * @param before what holds where `data` says nothing: of a remount, the options in force
 * @returns undefined for what is no option, or no value of it
 */
export function parseHostOptions(data: string, before: HostOptions = HOST_DEFAULTS): HostOptions | undefined {
  let options = before;
  for (const word of data.split(",")) {
    if (word === "") continue;
    const equals = word.indexOf("=");
    const name = equals < 0 ? word : word.slice(0, equals);
    const value = equals < 0 ? "" : word.slice(equals + 1);
    const isFlag = name === "ro" || name === "rw";
    const parsed = isFlag === equals < 0 ? PARSERS.get(name)?.(value) : undefined;
    if (!parsed) return undefined;
    options = { ...options, ...parsed };
  }
  return options;
}

/** Options for the mount table: parseHostOptions() of them gives them again. "ro" is the mount table's own to say. */
export function showHostOptions(options: HostOptions): string {
  const { uid, gid, dmode, fmode, dmask, fmask, ttlMs, maxFds, cache } = options;
  const words = [`ttl=${ttlMs}`, `maxfds=${maxFds}`, `cache=${cache}`];
  if (uid !== undefined) words.push(`uid=${uid}`);
  if (gid !== undefined) words.push(`gid=${gid}`);
  if (dmode !== undefined) words.push(`dmode=${octalOf(dmode)}`);
  if (fmode !== undefined) words.push(`fmode=${octalOf(fmode)}`);
  if (dmask !== 0) words.push(`dmask=${octalOf(dmask)}`);
  if (fmask !== 0) words.push(`fmask=${octalOf(fmask)}`);
  return words.join(",");
}

function octalOf(bits: number): string {
  return `0${bits.toString(8)}`;
}

/** Type and permission bits under the options. Symbolic links have none to change. @param mode as the host has it */
export function maskedMode({ dmode, fmode, dmask, fmask }: HostOptions, mode: number): number {
  const type = mode & S_IFMT;
  if (type === S_IFLNK) return mode;
  const [given, mask] = type === S_IFDIR ? [dmode, dmask] : [fmode, fmask];
  return type | ((given ?? mode & ~S_IFMT) & ~mask);
}
