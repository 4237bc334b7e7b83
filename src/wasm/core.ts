/**
 * One kernel's memory with the core over it: the instance, its exports, and the views.
 *
 * Views are plain fields, always valid: memory grows only through the `grow` import below, which renews them. Read a
 * field anew after every call into the core; never keep a view across one.
 *
 * Record fields: `u32[(handle << 3) + INODE_MODE]`, `f64[(handle << 2) + INODE_SIZE]`, with the indexes of layout.ts.
 *
 * Does not own: what the records mean (the layers above), where the compiled core comes from (core-module.ts).
 */

import type { FileHandle } from "../base/handles.ts";
import { utf8Decoder } from "../base/utf8.ts";
import type { CoreExports } from "./exports.ts";
import {
  BOOT_SLOT,
  FILE_POS,
  PATH_MAX,
  RESULT_STAT,
  RESULT_STATFS,
  SLOT_PATH_A,
  SLOT_PATH_B,
  SLOT_RESULT,
} from "./layout.ts";

/** Written in by the build (core-module.ts). */
declare const FOLIOFS_CORE_ID: string | undefined;

const WASM_PAGE_BYTES = 65536;
const FIRST_BYTES = 1 << 20;
const NR_STAT = 18;
const NR_STATFS = 12;

/** Index of the result block in `f64`, of the slot in `u32`, of the path buffers in `u8`. */
export const RESULT = (BOOT_SLOT + SLOT_RESULT) >>> 3;
export const SLOT = BOOT_SLOT >>> 2;
export const PATH_A = BOOT_SLOT + SLOT_PATH_A;
export const PATH_B = BOOT_SLOT + SLOT_PATH_B;

/** From this size on every other piece is copied backwards, in steps (mm/user-copy.ts). */
export const LARGE_COPY_BYTES = 1 << 20;
/** From this size on Buffer.copy(), where it is a fast call, pays for writes to shared memory. */
const MIN_SHARED_COPY_BYTES = 1 << 10;

/** What a core is made with. */
export interface CoreOptions {
  /** Bytes, a multiple of 64 KiB, at most 4 GiB - 64 KiB. */
  memoryLimit: number;
  /** Memory that several workers may use. */
  shared: boolean;
  /** Reserve all of the limit at once. */
  preallocate: boolean;
  /** Milliseconds since the epoch, fractions allowed. */
  now: () => number;
  /** Bytes that the memory has from the start; for restored memory. */
  initialBytes?: number;
}

/** What is used of Node's Buffer. */
export interface BufferLike extends Uint8Array {
  /** Buffer itself. */
  readonly constructor: { byteLength(text: string): number };
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
  utf8Write(text: string, offset: number, length: number): number;
  latin1Write(text: string, offset: number, length: number): number;
  copy(target: Uint8Array, targetStart: number, start: number, end: number): number;
}

/** One memory with an instance of the core over it. */
export class Core {
  memory!: WebAssembly.Memory;
  /** The exports. */
  x!: CoreExports;
  readonly options: CoreOptions;
  /** Two of the options, a cache line nearer to the calls that are over in 100 ns. */
  readonly now: () => number;
  /** What the core reads the time from: its kernel's clock, once there is one. */
  clock: () => number;
  readonly shared: boolean;
  /** Two of the exports, for the same reason: with data going through the cache they gain 0.5% of a write of 64 KiB. */
  readBegin!: CoreExports["readBegin"];
  writeBegin!: CoreExports["writeBegin"];
  /** Which way the last large copy went: a hint, no state of the file system. */
  copiesBackwards = false;
  /** Swap areas of this memory (mm/swap-state.ts): here, since entries have copies of that file of their own. */
  swap: unknown = undefined;
  /** All of memory, renewed when it grows. */
  u8!: Uint8Array;
  u32!: Uint32Array;
  i32!: Int32Array;
  f64!: Float64Array;
  /** What the views look at: `memory.buffer` costs 20 ns a time. */
  arrayBuffer!: ArrayBuffer;
  /** The path buffers. */
  pathA!: Uint8Array;
  pathB!: Uint8Array;
  /** Results of stat calls, and of statfs calls (vfs/syscalls.ts). */
  statValues!: Float64Array;
  statfsValues!: Float64Array;
  /** The whole memory as a Node Buffer, where the platform has Buffer. */
  buffer: BufferLike | undefined;
  /** True where Buffer's methods are fast calls: they then beat the typed arrays' for small pieces. */
  readonly hasFastBuffer: boolean = isFastBuffer();
  /** Writes of fewer bytes take the short way in mm/user-copy.ts. */
  readonly maxSetBytes: number;

  constructor(module: WebAssembly.Module, options: CoreOptions) {
    this.options = options;
    this.now = options.now;
    this.clock = options.now;
    this.shared = options.shared;
    this.maxSetBytes = options.shared && this.hasFastBuffer ? MIN_SHARED_COPY_BYTES : LARGE_COPY_BYTES;
    this.start(module, options.preallocate ? options.memoryLimit : (options.initialBytes ?? 0));
  }

  /**
   * Goes on with a new memory, all zeros: whoever had one before has to take along what is in it (vfs/shrink.ts).
   *
   * @param bytes it has at least, as far as the limit allows @throws RangeError when it is not to be had, and nothing has changed
   */
  start(module: WebAssembly.Module, bytes: number): void {
    const { memoryLimit, shared } = this.options;
    const maximum = Math.floor(memoryLimit / WASM_PAGE_BYTES);
    const memory = new WebAssembly.Memory({
      initial: Math.min(maximum, Math.ceil(Math.max(FIRST_BYTES, bytes) / WASM_PAGE_BYTES)),
      maximum,
      shared,
    });
    const { exports } = new WebAssembly.Instance(module, { env: this.#imports(module, memory) });
    this.memory = memory;
    this.x = exports as unknown as CoreExports;
    this.readBegin = this.x.readBegin;
    this.writeBegin = this.x.writeBegin;
    this.#renew();
  }

  /** A number of the result block (RESULT_*). */
  result(index: number): number {
    return this.f64[RESULT + index];
  }

  /** Position of an open file, bytes. */
  filePos(file: FileHandle): number {
    return this.f64[(file << 2) + FILE_POS];
  }

  /** Moves an open file. @param pos bytes, at least 0 */
  setFilePos(file: FileHandle, pos: number): void {
    this.f64[(file << 2) + FILE_POS] = pos;
  }

  #imports(module: WebAssembly.Module, memory: WebAssembly.Memory): WebAssembly.ModuleImports {
    return {
      memory,
      self: BOOT_SLOT,
      now: () => this.clock(),
      grow: (pages: number) => this.#grow(pages),
      // The debug core alone imports it, which is not published.
      ...(typeof FOLIOFS_CORE_ID === "undefined" ? { abort: abort.bind(undefined, module) } : {}),
    };
  }

  #grow(pages: number): number {
    try {
      this.memory.grow(pages);
    } catch {
      return -1;
    }
    this.#renew();
    return 0;
  }

  #renew(): void {
    const { buffer } = this.memory;
    this.arrayBuffer = buffer;
    this.u8 = new Uint8Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.pathA = this.u8.subarray(PATH_A, PATH_A + PATH_MAX);
    this.pathB = this.u8.subarray(PATH_B, PATH_B + PATH_MAX);
    this.statValues = this.f64.subarray(RESULT + RESULT_STAT, RESULT + RESULT_STAT + NR_STAT);
    this.statfsValues = this.f64.subarray(RESULT + RESULT_STATFS, RESULT + RESULT_STATFS + NR_STATFS);
    this.buffer = platformBuffer(buffer);
  }
}

/** A broken invariant of the debug build; its texts lie in a custom section (scripts/wasm-messages.mjs). */
function abort(module: WebAssembly.Module, message: number, file: number, line: number): never {
  const [section] = WebAssembly.Module.customSections(module, "foliofs.messages");
  const texts = section ? JSON.parse(utf8Decoder.decode(new Uint8Array(section))) : {};
  throw new Error(`foliofs core: ${texts[message] ?? "assertion failed"} (${texts[file] ?? "?"}:${line})`);
}

// Looked up once: programs that run scripts of others take globals away meanwhile.
const { process, Buffer } = globalThis as {
  process?: { versions?: { node?: string } };
  Buffer?: { from(memory: ArrayBufferLike): unknown };
};

function isFastBuffer(): boolean {
  return Number.parseInt(process?.versions?.node ?? "0", 10) >= 22;
}

function platformBuffer(memory: ArrayBufferLike): BufferLike | undefined {
  const buffer = Buffer?.from(memory) as BufferLike | undefined;
  return typeof buffer?.utf8Slice === "function" ? buffer : undefined;
}
