/**
 * Snapshots that nobody has made: those of real kernels with words of memory changed, lengths and checksums put right again.
 *
 * Whatever is drawn comes from `random` alone, so that a number makes the same mutant again.
 */
import type { Random } from "../../src/fuzz/random.ts";
import { pick } from "../../src/fuzz/random.ts";
import { splitDelta } from "../../src/vfs/delta-format.ts";
import {
  BLOCK_BYTES,
  checksumOf,
  EXTENT_BYTES,
  HEADER_BYTES,
  MASK_BYTES,
  SUM_AT,
  viewOf,
} from "../../src/vfs/snapshot-format.ts";
import { readHead } from "../../src/vfs/snapshot-head.ts";
import { coreModule, sharedByDefault } from "../../src/wasm/core-module.ts";
import {
  CACHE_DENTRY,
  CACHE_INODE,
  CACHE_MOUNT,
  CACHE_SUPER_BLOCK,
  CACHE_XA_NODE,
  DENTRY_INODE,
  DENTRY_PARENT,
  INODE_ALIASES,
  INODE_DIRTIED_CS,
  INODE_INO,
  INODE_KIND,
  INODE_MAPPING,
  INODE_MODE,
  INODE_NLINK,
  INODE_NR_PAGES,
  INODE_PRIVATE0,
  INODE_PRIVATE1,
  INODE_PRIVATE2,
  INODE_PRIVATE3,
  INODE_RDEV,
  INODE_SB,
  INODE_SIZE,
  INODE_STATE,
  INODE_XA_FLAGS,
  INODE_XA_HEAD,
  INODE_XATTRS,
  KERNEL_BLOCK,
  KERNEL_CACHES,
  KMEM_CACHE_BYTES,
  MOUNT_FLAGS,
  MOUNT_MOUNTPOINT,
  MOUNT_ROOT,
  MOUNT_SB,
  NR_CACHES,
  PAGE_FLAGS,
  PAGE_INDEX,
  PAGE_MAPPING,
  PAGE_SIZE,
  PG_BUFFER,
  PG_SLAB,
  PG_TABLE,
  PG_UPTODATE,
  SB_STACKED,
  SUPER_BLOCK_DEV,
  SUPER_BLOCK_FLAGS,
  SUPER_BLOCK_MAX_BLOCKS,
  SUPER_BLOCK_MAX_INODES,
  SUPER_BLOCK_PRIVATE0,
  SUPER_BLOCK_ROOT,
  SUPER_BLOCK_SOURCE,
  SUPER_BLOCK_SOURCE_LENGTH,
  SUPER_BLOCK_TYPE_ID,
} from "../../src/wasm/layout.ts";

/** What has been done, as a person reads it. */
export type Told = string[];

/** Which mutants are made: any, or those in which things of one kind exchange a field, so that most counts stay right. */
export type MutantWay = "any" | "exchange";

const PAGE_WORDS = PAGE_SIZE / 4;
const KERNEL_WORDS = 1024;
const ODD_WORDS = [0, 1, 2, 3, 31, 32, 4096, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
const ODD_NUMBERS = [Number.NaN, Number.POSITIVE_INFINITY, -1, 0.5, 2 ** 53, 1e300, 2 ** 44, 2 ** 44 + 1, 2 ** 32];
const STEPS = [1, -1, 32, -32, 96, -96, 192, 4096, -4096, 4];

/** What of two records can be exchanged with all counts as they should be, or nearly. */
const EXCHANGES: readonly { cache: number; fields: readonly number[]; isOfOverlay?: boolean }[] = [
  { cache: CACHE_INODE, fields: [INODE_PRIVATE0], isOfOverlay: true },
  { cache: CACHE_INODE, fields: [INODE_PRIVATE1], isOfOverlay: true },
  { cache: CACHE_INODE, fields: [INODE_PRIVATE2], isOfOverlay: true },
  { cache: CACHE_INODE, fields: [INODE_PRIVATE3], isOfOverlay: true },
  { cache: CACHE_INODE, fields: [INODE_PRIVATE0, INODE_PRIVATE1, INODE_PRIVATE2, INODE_PRIVATE3], isOfOverlay: true },
  { cache: CACHE_INODE, fields: [INODE_MAPPING], isOfOverlay: true },
  { cache: CACHE_INODE, fields: [INODE_XATTRS] },
  { cache: CACHE_INODE, fields: [INODE_NLINK] },
  { cache: CACHE_INODE, fields: [INODE_MODE] },
  { cache: CACHE_INODE, fields: [INODE_MODE, INODE_KIND] },
  { cache: CACHE_INODE, fields: [INODE_STATE] },
  { cache: CACHE_INODE, fields: [INODE_RDEV] },
  { cache: CACHE_INODE, fields: [INODE_SB] },
  { cache: CACHE_INODE, fields: [INODE_INO * 2, INODE_INO * 2 + 1] },
  { cache: CACHE_INODE, fields: [INODE_XA_HEAD, INODE_XA_FLAGS, INODE_NR_PAGES, INODE_DIRTIED_CS] },
  { cache: CACHE_INODE, fields: [INODE_SIZE * 2, INODE_SIZE * 2 + 1] },
  { cache: CACHE_INODE, fields: [INODE_PRIVATE0, INODE_PRIVATE1, INODE_SIZE * 2, INODE_SIZE * 2 + 1] },
  { cache: CACHE_DENTRY, fields: [DENTRY_INODE] },
  { cache: CACHE_DENTRY, fields: [DENTRY_PARENT] },
  { cache: CACHE_MOUNT, fields: [MOUNT_MOUNTPOINT] },
  { cache: CACHE_MOUNT, fields: [MOUNT_ROOT] },
  { cache: CACHE_MOUNT, fields: [MOUNT_ROOT, MOUNT_SB] },
  { cache: CACHE_MOUNT, fields: [MOUNT_SB] },
  { cache: CACHE_MOUNT, fields: [MOUNT_FLAGS] },
  { cache: CACHE_MOUNT, fields: [MOUNT_ROOT, MOUNT_SB, MOUNT_FLAGS] },
  { cache: CACHE_SUPER_BLOCK, fields: [SUPER_BLOCK_PRIVATE0] },
  { cache: CACHE_SUPER_BLOCK, fields: [SUPER_BLOCK_ROOT] },
  { cache: CACHE_SUPER_BLOCK, fields: [SUPER_BLOCK_DEV] },
  { cache: CACHE_SUPER_BLOCK, fields: [SUPER_BLOCK_SOURCE, SUPER_BLOCK_SOURCE_LENGTH] },
  { cache: CACHE_SUPER_BLOCK, fields: [SUPER_BLOCK_FLAGS] },
  { cache: CACHE_SUPER_BLOCK, fields: [SUPER_BLOCK_TYPE_ID] },
  { cache: CACHE_SUPER_BLOCK, fields: [SUPER_BLOCK_MAX_INODES] },
  { cache: CACHE_SUPER_BLOCK, fields: [SUPER_BLOCK_MAX_BLOCKS] },
];

function swapWords(parts: SnapshotParts, a: number, b: number): void {
  const word = parts.word(a);
  parts.setWord(a, parts.word(b));
  parts.setWord(b, word);
}

/** A snapshot, taken apart: frames of records in one array. */
export class SnapshotParts {
  readonly head: Uint8Array;
  readonly extents: readonly { pfn: number; nr: number; isData: boolean }[];
  /** By frame. */
  readonly frames = new Map<number, Uint32Array>();
  readonly #data: Uint8Array[] = [];
  readonly #tail: Uint8Array;

  constructor(bytes: Uint8Array) {
    const { extents, framesAt } = readHead(bytes);
    this.head = bytes.slice(0, framesAt);
    this.extents = extents;
    let at = framesAt;
    for (const { pfn, nr, isData } of extents) {
      if (isData) {
        this.#data.push(bytes.subarray(at, (at += nr * PAGE_SIZE)));
        continue;
      }
      for (let frame = pfn; frame < pfn + nr; frame++) {
        const page = new Uint8Array(PAGE_SIZE);
        const mask = at;
        at += MASK_BYTES;
        for (let block = 0; block < PAGE_SIZE / BLOCK_BYTES; block++) {
          if (!(bytes[mask + (block >>> 3)] & (1 << (block & 7)))) continue;
          page.set(bytes.subarray(at, (at += BLOCK_BYTES)), block * BLOCK_BYTES);
        }
        this.frames.set(frame, new Uint32Array(page.buffer));
      }
    }
    this.#tail = bytes.subarray(at);
  }

  /** The word at an address. */
  word(address: number): number {
    return (this.frames.get(address >>> 12) as Uint32Array)[(address & 4095) >>> 2];
  }

  setWord(address: number, value: number): void {
    (this.frames.get(address >>> 12) as Uint32Array)[(address & 4095) >>> 2] = value;
  }

  /** @param address a multiple of 8 */
  setNumber(address: number, value: number): void {
    const words = this.frames.get(address >>> 12) as Uint32Array;
    new Float64Array(words.buffer)[(address & 4095) >>> 3] = value;
  }

  /** The bytes again, with a length that is right. */
  join(): Uint8Array {
    const pieces: Uint8Array[] = [this.head];
    let data = 0;
    for (const { pfn, nr, isData } of this.extents) {
      if (isData) pieces.push(this.#data[data++]);
      else for (let frame = pfn; frame < pfn + nr; frame++) pieces.push(sparse(this.frames.get(frame) as Uint32Array));
    }
    pieces.push(this.#tail);
    const bytes = new Uint8Array(Buffer.concat(pieces));
    viewOf(bytes).setFloat64(16, bytes.length, true);
    return bytes;
  }
}

function sparse(words: Uint32Array): Uint8Array {
  const page = new Uint8Array(words.buffer);
  const pieces: Uint8Array[] = [new Uint8Array(MASK_BYTES)];
  for (let block = 0; block < PAGE_SIZE / BLOCK_BYTES; block++) {
    const piece = page.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
    if (piece.every((byte) => byte === 0)) continue;
    pieces[0][block >>> 3] |= 1 << (block & 7);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Has it the checksum that it should have. */
export function seal(bytes: Uint8Array): Uint8Array {
  if (bytes.length < HEADER_BYTES) return bytes;
  const [low, high] = checksumOf(coreModule(sharedByDefault()), sharedByDefault(), bytes);
  viewOf(bytes).setUint32(SUM_AT, low, true);
  viewOf(bytes).setUint32(SUM_AT + 4, high, true);
  return bytes;
}

/** Makes mutants of one snapshot. */
export class Mutator {
  readonly #clean: Uint8Array;
  readonly #parts: SnapshotParts;
  /** Addresses of records, by cache; of tables and strings. */
  readonly #records: number[][] = Array.from({ length: NR_CACHES }, () => []);
  readonly #sizes: number[] = [];
  readonly #tables: number[] = [];
  readonly #buffers: number[] = [];
  readonly #descriptors: number[] = [];

  constructor(bytes: Uint8Array) {
    this.#clean = bytes;
    this.#parts = new SnapshotParts(bytes);
    this.#index();
  }

  #index(): void {
    const kernel = this.#parts.frames.get(KERNEL_BLOCK / PAGE_SIZE) as Uint32Array;
    for (let cache = 0; cache < NR_CACHES; cache++)
      this.#sizes.push(kernel[(KERNEL_CACHES + cache * KMEM_CACHE_BYTES) / 4 + 4]);
    const { end } = readHead(this.#clean);
    for (let pfn = 0; pfn < end; pfn++) {
      const address = (pfn & ~1023) * PAGE_SIZE + (pfn & 1023) * 32;
      const words = this.#parts.frames.get(address >>> 12);
      const at = (address & 4095) >>> 2;
      const [flags, mapping, , , , , , high] = words?.subarray(at, at + 8) ?? [];
      if (flags !== 0) this.#descriptors.push(address);
      if (flags & PG_TABLE) this.#tables.push(pfn * PAGE_SIZE);
      if (flags & PG_BUFFER) this.#buffers.push(pfn * PAGE_SIZE);
      if (!(flags & PG_SLAB)) continue;
      const cache = (mapping - KERNEL_BLOCK - KERNEL_CACHES) / KMEM_CACHE_BYTES;
      for (let i = 0; i < high; i++) this.#records[cache].push(pfn * PAGE_SIZE + i * this.#sizes[cache]);
    }
  }

  /** @returns bytes that are sealed */
  mutate(random: Random, told: Told, way: MutantWay = "any"): Uint8Array {
    return way === "any" ? this.#any(random, told) : this.#exchanged(random, told);
  }

  #any(random: Random, told: Told): Uint8Array {
    const way = random(100);
    if (way < 6) return seal(this.#mutateBytes(random, told));
    if (way < 11) return seal(this.#mutateHead(random, told));
    const parts = new SnapshotParts(this.#clean);
    const nr = 1 + (random(3) === 0 ? random(3) : 0);
    for (let i = 0; i < nr; i++) this.#mutateMemory(parts, random, told);
    return seal(parts.join());
  }

  /** Nothing but records, pages and places of layers that have exchanged what is of one kind. */
  #exchanged(random: Random, told: Told): Uint8Array {
    const parts = new SnapshotParts(this.#clean);
    const nr = 1 + random(3);
    for (let i = 0; i < nr; i++) {
      const way = random(8);
      if (way === 0) this.#exchangePages(parts, random, told);
      else if (way === 1) this.#exchangeLayers(parts, random, told);
      else this.#exchange(parts, random, told);
    }
    return seal(parts.join());
  }

  /** Any bytes, and lengths. */
  #mutateBytes(random: Random, told: Told): Uint8Array {
    const bytes = this.#clean.slice();
    const way = random(4);
    if (way === 0) {
      const length = random(bytes.length);
      told.push(`cut to ${length}`);
      const cut = bytes.slice(0, length);
      if (length >= HEADER_BYTES) viewOf(cut).setFloat64(16, length, true);
      return cut;
    }
    const at = HEADER_BYTES + random(bytes.length - HEADER_BYTES);
    const length = way === 1 ? 1 : 1 + random(200);
    const from = HEADER_BYTES + random(bytes.length - HEADER_BYTES);
    told.push(`bytes ${from}+${length} to ${at}`);
    if (way === 1) bytes[at] ^= 1 << random(8);
    else bytes.copyWithin(at, from, from + length);
    return bytes;
  }

  /** Words of the header, of extents, and what is said in meta. */
  #mutateHead(random: Random, told: Told): Uint8Array {
    const bytes = this.#clean.slice();
    const view = viewOf(bytes);
    const { framesAt } = readHead(bytes);
    const metaEnd = HEADER_BYTES + view.getUint32(32, true);
    const way = random(3);
    if (way === 0) return this.#mutateMeta(random, told);
    const at =
      way === 1
        ? pick(random, [24, 28, 32, 36])
        : metaEnd + random((framesAt - metaEnd) / EXTENT_BYTES) * EXTENT_BYTES + 4 * random(3);
    const old = view.getUint32(at, true);
    const value = random(2) ? pick(random, ODD_WORDS) : (old + pick(random, STEPS)) >>> 0;
    view.setUint32(at, value, true);
    told.push(`head ${at}: ${old} to ${value}`);
    return bytes;
  }

  #mutateMeta(random: Random, told: Told): Uint8Array {
    const { meta } = readHead(this.#clean);
    const text = pick(random, [
      JSON.stringify({
        ...meta,
        options: { ...meta.options, memoryLimit: pick(random, [-1, 1, 2 ** 33, "8m", null, 1e30]) },
      }),
      JSON.stringify({ ...meta, options: { ...meta.options, stdio: true } }),
      JSON.stringify({
        ...meta,
        options: { ...meta.options, groups: pick(random, [[-1], "abc", { length: 5 }, [1.5]]) },
      }),
      JSON.stringify({
        ...meta,
        options: { ...meta.options, cwd: pick(random, ["a\0b", 5, "/none", "/dir/f1", "x".repeat(10_000)]) },
      }),
      JSON.stringify({ ...meta, options: { ...meta.options, uid: pick(random, [-1, 1.5, 2 ** 32, "0", 1000]) } }),
      JSON.stringify({ ...meta, types: pick(random, [[], ["tmpfs"], ["__proto__"], "tmpfs", [1]] as unknown[]) }),
      JSON.stringify({ ...meta, more: 1 }),
      `{"__proto__":{"options":{}},"options":{},"types":[],"leftOut":[]}`,
      "[".repeat(5000),
      "null",
      JSON.stringify(meta).slice(0, -1 - random(10)),
    ]);
    told.push(`meta ${text.slice(0, 100)}`);
    const bytes = this.#clean;
    const metaEnd = HEADER_BYTES + viewOf(bytes).getUint32(32, true);
    const meted = new Uint8Array(
      Buffer.concat([bytes.subarray(0, HEADER_BYTES), Buffer.from(text), bytes.subarray(metaEnd)]),
    );
    viewOf(meted).setUint32(32, Buffer.byteLength(text), true);
    viewOf(meted).setFloat64(16, meted.length, true);
    return meted;
  }

  /** A word of memory, or several, of something that lies there. */
  #mutateMemory(parts: SnapshotParts, random: Random, told: Told): void {
    const way = random(20);
    const records = this.#anyRecords(random);
    if (way < 5) this.#exchange(parts, random, told);
    else if (way < 7 && records.length > 1) this.#copyRecord(parts, random, told, records);
    else if (way < 10 && records.length > 1) this.#swapFields(parts, random, told, records);
    else this.#changeWord(parts, random, told, this.#anyWord(random));
  }

  /** Two records of a kind exchange what belongs together: counts stay right. */
  #exchange(parts: SnapshotParts, random: Random, told: Told): void {
    const { cache, fields, isOfOverlay } = pick(random, EXCHANGES);
    const records = this.#records[cache].filter((record) => !isOfOverlay || this.#isOfOverlay(record));
    if (records.length < 2) return;
    const [a, b] = [pick(random, records), pick(random, records)];
    if (a === b) return;
    for (const field of fields) swapWords(parts, a + field * 4, b + field * 4);
    if (cache === CACHE_DENTRY) {
      const [one, other] = [a, b].map((dentry) => parts.word(dentry + DENTRY_INODE * 4));
      if (one !== 0 && other !== 0) swapWords(parts, one + INODE_ALIASES * 4, other + INODE_ALIASES * 4);
    }
    told.push(`words ${fields.join()} of ${hex(a)} and ${hex(b)} exchanged`);
  }

  /** Two pages of files exchange their places: an index has the other's frame, whose descriptor says so. */
  #exchangePages(parts: SnapshotParts, random: Random, told: Told): void {
    const pages = this.#descriptors.filter((page) => {
      return parts.word(page + PAGE_FLAGS * 4) & PG_UPTODATE && parts.word(page + PAGE_MAPPING * 4) !== 0;
    });
    if (pages.length < 2) return;
    const [a, b] = [pick(random, pages), pick(random, pages)];
    const [placeA, placeB] = [this.#placeOf(parts, a), this.#placeOf(parts, b)];
    if (a === b || placeA === undefined || placeB === undefined) return;
    swapWords(parts, placeA, placeB);
    for (const field of [PAGE_MAPPING, PAGE_INDEX]) swapWords(parts, a + field * 4, b + field * 4);
    told.push(`pages of ${hex(a)} and ${hex(b)} exchanged`);
  }

  /** Address of the word of an index that leads to a page. */
  #placeOf(parts: SnapshotParts, descriptor: number): number | undefined {
    const pfn = (descriptor >>> 22) * 1024 + ((descriptor & 0x3fffff) >>> 5);
    const heads = this.#records[CACHE_INODE].map((inode) => inode + INODE_XA_HEAD * 4);
    const slots = this.#records[CACHE_XA_NODE].flatMap((node) => Array.from({ length: 64 }, (_, i) => node + i * 4));
    return [...heads, ...slots].find((place) => parts.word(place) === pfn << 2);
  }

  /** Two places for mounts, in the lists of layers of overlays, exchange theirs. */
  #exchangeLayers(parts: SnapshotParts, random: Random, told: Told): void {
    const places = this.#records[CACHE_SUPER_BLOCK].flatMap((sb) => {
      const list = parts.word(sb + SUPER_BLOCK_PRIVATE0 * 4);
      if (!(parts.word(sb + SUPER_BLOCK_FLAGS * 4) & SB_STACKED) || !parts.frames.has(list >>> 12)) return [];
      return Array.from({ length: Math.min(parts.word(list), 10) }, (_, i) => list + 8 + i * 4);
    });
    if (places.length < 2) return;
    const [a, b] = [pick(random, places), pick(random, places)];
    swapWords(parts, a, b);
    told.push(`layers at ${hex(a)} and ${hex(b)} exchanged`);
  }

  /** Does an inode stand for dentries? */
  #isOfOverlay(inode: number): boolean {
    const parts = [INODE_PRIVATE0, INODE_PRIVATE1].map((field) => this.#parts.word(inode + field * 4));
    return parts.some((part) => part !== 0 && this.#records[CACHE_DENTRY].includes(part));
  }

  #anyRecords(random: Random): number[] {
    const there = this.#records.filter(({ length }) => length > 0);
    return pick(random, there);
  }

  /** Address of a word: most are of records. */
  #anyWord(random: Random): number {
    const way = random(20);
    if (way < 2) return KERNEL_BLOCK + random(KERNEL_WORDS) * 4;
    if (way < 3) return KERNEL_BLOCK + random(72) * 4;
    if (way < 6) return pick(random, this.#descriptors) + random(8) * 4;
    if (way < 7) return pick(random, this.#tables) + random(PAGE_WORDS) * 4;
    if (way < 8 && this.#buffers.length > 0) return pick(random, this.#buffers) + random(PAGE_WORDS) * 4;
    const cache = this.#records.indexOf(this.#anyRecords(random));
    return pick(random, this.#records[cache]) + random(this.#sizes[cache] / 4) * 4;
  }

  #changeWord(parts: SnapshotParts, random: Random, told: Told, address: number): void {
    const words = parts.frames.get(address >>> 12);
    if (words === undefined) return;
    const at = (address & 4095) >>> 2;
    const old = words[at];
    if (random(12) === 0) {
      const value = pick(random, ODD_NUMBERS);
      new Float64Array(words.buffer)[at >>> 1] = value;
      told.push(`${hex(address & ~7)}: ${value}`);
      return;
    }
    words[at] = this.#newWord(random, old);
    told.push(`${hex(address)}: ${hex(old)} to ${hex(words[at])}`);
  }

  #newWord(random: Random, old: number): number {
    const records = this.#anyRecords(random);
    switch (random(8)) {
      case 0:
        return old ^ (1 << random(32));
      case 1:
        return pick(random, ODD_WORDS);
      case 2:
      case 3:
        return old + pick(random, STEPS);
      case 4: // a record of the same kind, if it was one
        return pick(random, this.#records.find((list) => list.includes(old)) ?? records);
      case 5:
        return pick(random, records) + pick(random, [0, 0, 0, 4, 2, 1]);
      case 6:
        return pick(random, [...this.#tables, ...this.#buffers, KERNEL_BLOCK, KERNEL_BLOCK + 4096, 40960]);
      default:
        return random(2 ** 32);
    }
  }

  /** One record becomes another one, or takes some of its words. */
  #copyRecord(parts: SnapshotParts, random: Random, told: Told, records: number[]): void {
    const [from, to] = [pick(random, records), pick(random, records)];
    const size = this.#sizes[this.#records.indexOf(records)];
    const start = random(2) * random(size / 4);
    const [source, sink] = [from, to].map((address) => parts.frames.get(address >>> 12) as Uint32Array);
    const [fromWord, toWord] = [from, to].map((address) => (address & 4095) >>> 2);
    const length = 1 + random(size / 4 - start);
    sink.set(source.slice(fromWord + start, fromWord + start + length), toWord + start);
    told.push(`${length} words of ${hex(from)}+${start * 4} to ${hex(to)}`);
  }

  /** Two records of a kind exchange a word: lists cross. */
  #swapFields(parts: SnapshotParts, random: Random, told: Told, records: number[]): void {
    const [a, b] = [pick(random, records), pick(random, records)];
    const field = random(this.#sizes[this.#records.indexOf(records)] / 4);
    const [one, other] = [a, b].map((address) => parts.frames.get(address >>> 12) as Uint32Array);
    const [i, j] = [a, b].map((address) => ((address & 4095) >>> 2) + field);
    [one[i], other[j]] = [other[j], one[i]];
    told.push(`word ${field} of ${hex(a)} and ${hex(b)}`);
  }
}

/** Makes mutants of a chain: of its snapshot, whose deltas follow it, or of one delta. */
export function mutateChain(
  chain: readonly Uint8Array[],
  mutator: Mutator,
  random: Random,
  told: Told,
  way: MutantWay,
): Uint8Array[] {
  if (chain.length === 1) return [mutator.mutate(random, told, way)];
  const copies: Uint8Array[] = chain.map((bytes) => bytes.slice());
  const i = way === "any" ? random(copies.length) : 0;
  if (i === 0) copies[0] = mutator.mutate(random, told, way);
  else copies[i] = mutateDelta(copies[i], random, told);
  for (let n = 1; n < copies.length; n++) follow(copies[n], copies[n - 1], n);
  return copies;
}

/** A delta is since the snapshot before it, as long as that is the base itself. */
function follow(delta: Uint8Array, base: Uint8Array, n: number): void {
  if (n > 1 || delta.length < HEADER_BYTES || base.length < HEADER_BYTES) return;
  viewOf(delta).setFloat64(24, base.length, true);
  delta.set(base.subarray(SUM_AT, SUM_AT + 8), 32);
  seal(delta);
}

function mutateDelta(bytes: Uint8Array, random: Random, told: Told): Uint8Array {
  const view = viewOf(bytes);
  const delta = splitDelta(bytes);
  const nrRuns = delta?.runs.length ?? 0;
  const runsAt = HEADER_BYTES + (delta?.head.length ?? 0);
  const way = random(4);
  const at =
    way === 0 && nrRuns > 0
      ? runsAt + random(nrRuns) * 12 + random(3) * 4
      : way === 1
        ? pick(random, [40, 44, HEADER_BYTES + 16, HEADER_BYTES + 20, HEADER_BYTES + 24, HEADER_BYTES + 28])
        : 64 + random((bytes.length - 68) >>> 2) * 4;
  const old = view.getUint32(at, true);
  view.setUint32(at, random(2) ? pick(random, ODD_WORDS) : (old + pick(random, STEPS)) >>> 0, true);
  told.push(`delta ${at}: ${old} to ${view.getUint32(at, true)}`);
  return seal(bytes);
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}
