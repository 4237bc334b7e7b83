/**
 * What inodes of overlays stand for, and the layers of their super blocks (assembly/fs/stack.ts). Trees of overlays do not lie in each
 * other: their layers are, or stand on, file systems of which all is in memory.
 */
import { utf8Decoder } from "../base/utf8.ts";
import { OVL_FOUND, OVL_LAZY_DATA, OVL_METACOPY } from "../fs/overlay/entry.ts";
import { parseOptions } from "../fs/overlay/options.ts";
import {
  CACHE_DENTRY,
  CACHE_MOUNT,
  INODE_ATIME_SEC,
  INODE_BTIME_SEC,
  INODE_MAPPING,
  INODE_PRIVATE0,
  INODE_PRIVATE1,
  INODE_PRIVATE2,
  INODE_PRIVATE3,
  KMALLOC_MAX,
  SUPER_BLOCK_PRIVATE0,
} from "../wasm/layout.ts";
import { demand } from "./demand.ts";
import type { Dentries } from "./dentries.ts";
import { hostOf, type Inodes, ownMapping } from "./inodes.ts";
import type { Memory } from "./memory.ts";
import type { SoundMount } from "./mounts.ts";
import { isCount, type SoundSuper } from "./supers.ts";

/** Words before the first mount, or dentry, of a list. */
const HEAD_BYTES = 8;
/** Places of the upper layer and of the work directory; lower layers count from 1 behind them. */
const UPPER = 0;
const WORK = 1;
const FIRST_LOWER = 2;
const MAX_LAYERS = FIRST_LOWER + 500;
/** An overlay may be a lower layer of another, and that of none. */
const MAX_DEPTH = 2;
const LAYER_MASK = 0xffff;

/** All that is known when stacks are checked. */
export interface Records {
  readonly memory: Memory;
  readonly supers: ReadonlyMap<number, SoundSuper>;
  readonly mounts: ReadonlyMap<number, SoundMount>;
  readonly dentries: Dentries;
  readonly inodes: Inodes;
}

/** Layers of a super block. */
interface Layers {
  /** By place; undefined = there is none. */
  readonly mounts: readonly (SoundMount | undefined)[];
  /** So many, the last ones, are for data alone. */
  readonly nrData: number;
}

/** @throws SnapshotError */
export function checkStacks(records: Records): void {
  const { supers, mounts, inodes } = records;
  const layers = new Map<SoundSuper, Layers>();
  const taken = new Set<number>();
  for (const sb of supers.values()) if (sb.isStacked) layers.set(sb, checkLayers(records, sb, taken));
  for (const { address, isLayer } of mounts.values())
    demand(isLayer === taken.has(address), "a layer belongs to no overlay", address);
  for (const sb of layers.keys())
    demand(
      depthOf(records, layers, sb, 1) <= MAX_DEPTH,
      "overlays lie in each other, or too many over each other",
      sb.address,
    );
  for (const inode of inodes.all) {
    const sb = inodes.sb(inode);
    if (sb.isStacked) checkStack(records, inode, layers.get(sb) as Layers);
  }
}

/** @param taken mounts that are layers of some overlay @returns its layers */
function checkLayers(records: Records, sb: SoundSuper, taken: Set<number>): Layers {
  const { memory, mounts } = records;
  const { image, claims } = memory;
  const block = memory.u32[sb.at + SUPER_BLOCK_PRIVATE0];
  claims.claim(block, HEAD_BYTES, "the layers of an overlay");
  const [nr, optionBytes] = [image.word(block), image.word(block + 4)];
  demand(
    nr > FIRST_LOWER && nr <= MAX_LAYERS && optionBytes <= KMALLOC_MAX,
    "an overlay has no lower layers, or too many",
    sb.address,
  );
  const start = HEAD_BYTES + nr * 4;
  claims.checkLength(block, start + optionBytes, "the layers of an overlay");
  const options = utf8Decoder.decode(image.bytesFrom(block + start, optionBytes).slice());
  const parsed = parseOptions(options);
  demand(
    parsed !== undefined && parsed.nrData < nr - FIRST_LOWER,
    "options of an overlay are none, or not those of its layers",
    sb.address,
  );
  const layers = Array.from({ length: nr }, (_, i) => {
    const address = image.word(block + HEAD_BYTES + i * 4);
    if (address === 0) return undefined;
    memory.slabs.numberOf(CACHE_MOUNT, address, "a layer");
    const mnt = mounts.get(address) as SoundMount;
    demand(mnt.isLayer && !taken.has(address), "a layer is a mount of something else", address);
    taken.add(address);
    return mnt;
  });
  checkUpper(records, sb, layers);
  return { mounts: layers, nrData: parsed.nrData };
}

/** Names are made in the work directory, and moved to the upper layer: both are in one file system that is all in memory. */
function checkUpper({ supers, dentries, inodes }: Records, sb: SoundSuper, layers: Layers["mounts"]): void {
  const [upper, work, ...lowers] = layers;
  demand(!lowers.includes(undefined), "an overlay misses a layer", sb.address);
  demand(
    (upper === undefined) === (work === undefined),
    "an overlay has an upper layer, but no work directory, or the other way round",
    sb.address,
  );
  demand(
    upper?.sb === work?.sb && (upper === undefined || supers.get(upper.sb)?.isComplete === true),
    "the upper layer of an overlay cannot be one",
    sb.address,
  );
  for (const layer of layers)
    demand(layer === undefined || inodes.isDir(dentries.inode(layer.root)), "a layer is no directory", sb.address);
}

/** How many overlays lie over each other, this one included; more than may be where they lie in each other. */
function depthOf(
  { supers }: Pick<Records, "supers">,
  layers: ReadonlyMap<SoundSuper, Layers>,
  sb: SoundSuper,
  depth: number,
): number {
  if (depth > MAX_DEPTH) return depth;
  let most = depth;
  const below = new Set((layers.get(sb) as Layers).mounts.flatMap((layer) => (layer ? [layer.sb] : [])));
  for (const address of below) {
    const lower = supers.get(address) as SoundSuper;
    if (lower.isStacked) most = Math.max(most, depthOf({ supers }, layers, lower, depth + 1));
  }
  return most;
}

/** What an inode stands for: names of the layers that it says, of its own type. */
function checkStack(records: Records, address: number, layers: Layers): void {
  const { memory, inodes } = records;
  const { u32, image, claims } = memory;
  const at = image.at(address);
  const flags = u32[at + INODE_PRIVATE3];
  demand((flags & ~(LAYER_MASK | OVL_FOUND)) === 0, "an inode of an overlay has flags that there are none of", address);
  const parts: number[] = [];
  const [upper, lower, more] = [u32[at + INODE_PRIVATE0], u32[at + INODE_PRIVATE1], u32[at + INODE_PRIVATE2]];
  if (upper !== 0) parts.push(checkPart(records, address, upper, layers.mounts[UPPER]));
  if (lower !== 0) parts.push(checkPart(records, address, lower, lowerLayer(layers, flags & LAYER_MASK)));
  if (more !== 0) {
    claims.claim(more, HEAD_BYTES, "parts of an inode of an overlay");
    const nr = image.word(more);
    demand(lower !== 0 && nr <= MAX_LAYERS, "an inode of an overlay has more parts than there are layers", address);
    claims.checkLength(more, HEAD_BYTES + nr * 8, "parts of an inode of an overlay");
    for (let i = 0; i < nr; i++) {
      const part = more + HEAD_BYTES + i * 8;
      parts.push(checkPart(records, address, image.word(part), lowerLayer(layers, image.word(part + 4))));
    }
  }
  demand(parts.length > 0, "an inode of an overlay stands for nothing", address);
  demand(
    inodes.isDir(address) || inodes.isFile(address) || more === 0,
    "something else than a directory or a file has several lower parts",
    address,
  );
  const hasNoData = (flags & OVL_METACOPY) !== 0;
  demand(!hasNoData || (inodes.isFile(address) && lower !== 0), "data of a file are where none can be", address);
  demand(!(flags & OVL_LAZY_DATA) || hasNoData, "data of a file are to be looked for, but it has some", address);
  checkShown(records, address, parts[0]);
  if (isRoot(records, address)) checkRoot(records, address, layers);
}

function lowerLayer(layers: Layers, number: number): SoundMount | undefined {
  return number > 0 ? layers.mounts[WORK + number] : undefined;
}

/** @returns address of the inode of a part */
function checkPart(
  { memory, dentries, inodes }: Records,
  inode: number,
  address: number,
  layer: SoundMount | undefined,
): number {
  memory.hold(CACHE_DENTRY, address, "a part of an inode of an overlay");
  const part = dentries.inode(address);
  demand(
    layer !== undefined && part !== 0 && inodes.sb(part).address === layer.sb,
    "a part of an inode of an overlay is in another layer than it says",
    address,
  );
  const isLike = inodes.type(part) === inodes.type(inode);
  demand(isLike, "an inode of an overlay is of another type than what it stands for", address);
  return part;
}

/** Its pages are its own, and there are none, or those of what it shows, whose numbers it has in the place of times. */
function checkShown({ memory, inodes }: Records, address: number, shown: number): void {
  const { u32, f64 } = memory;
  const at = memory.image.at(address);
  const mapping = u32[at + INODE_MAPPING];
  if (mapping === ownMapping(address)) return;
  demand(
    hostOf(mapping) === shown && !inodes.sb(shown).isStacked,
    "an inode of an overlay has pages of another than it stands for",
    address,
  );
  for (const field of [INODE_ATIME_SEC, INODE_BTIME_SEC])
    demand(isCount(f64[(at >>> 1) + field]), "an inode of an overlay shows numbers that are none", address);
}

function isRoot({ dentries, inodes }: Records, inode: number): boolean {
  return dentries.inode(inodes.sb(inode).root) === inode;
}

/** The root stands for the roots of all layers whose names show. */
function checkRoot({ memory }: Records, address: number, layers: Layers): void {
  const { u32, image } = memory;
  const at = image.at(address);
  const shown = layers.mounts.slice(0, layers.mounts.length - layers.nrData);
  const [upper, , first, ...others] = shown;
  const more = u32[at + INODE_PRIVATE2];
  demand(
    u32[at + INODE_PRIVATE0] === (upper?.root ?? 0),
    "the root of an overlay is not that of its upper layer",
    address,
  );
  const isFirst = u32[at + INODE_PRIVATE1] === first?.root && (u32[at + INODE_PRIVATE3] & LAYER_MASK) === 1;
  demand(
    isFirst && (more === 0 ? 0 : image.word(more)) === others.length,
    "the root of an overlay does not stand for its layers",
    address,
  );
  for (const [i, layer] of others.entries()) {
    const part = more + HEAD_BYTES + i * 8;
    const isSame = image.word(part) === layer?.root && image.word(part + 4) === i + FIRST_LOWER;
    demand(isSame, "the root of an overlay does not stand for its layers", address);
  }
}
