/**
 * What the face takes from the platform it runs on, looked up once and optional: nothing here is imported, so the same
 * module loads in Node, in workers and in browsers without polyfills. Once, since programs that run scripts of others
 * take globals away meanwhile.
 */

/** The few members of Node's Buffer class that the face uses. */
export interface BufferClass {
  from(text: string, encoding?: string): Uint8Array;
  from(bytes: ArrayBufferLike, byteOffset?: number, length?: number): Uint8Array;
  allocUnsafe(size: number): Uint8Array;
  allocUnsafeSlow(size: number): Uint8Array;
  alloc(size: number): Uint8Array;
  isBuffer(value: unknown): boolean;
  isEncoding(encoding: unknown): boolean;
  /** The class that from() makes them of: 11 to 20 ns less. */
  readonly [Symbol.species]?: new (
    bytes: ArrayBufferLike,
    byteOffset: number,
    length: number,
  ) => Uint8Array;
}

interface NodeProcess {
  nextTick?(callback: (...args: unknown[]) => void, ...args: unknown[]): void;
  getBuiltinModule?(id: string): unknown;
  emitWarning?(warning: string, type?: string, code?: string): void;
  versions?: { node?: string };
}

const globals = globalThis as {
  Buffer?: BufferClass;
  process?: NodeProcess;
  setImmediate?: (callback: () => void) => unknown;
  setTimeout: (callback: () => void, ms: number) => unknown;
};

/** Node's Buffer class, or undefined where the page has none. */
export const NodeBuffer: BufferClass | undefined =
  typeof globals.Buffer?.allocUnsafe === "function" ? globals.Buffer : undefined;

const nodeProcess: NodeProcess | undefined =
  typeof globals.process?.nextTick === "function" ? globals.process : undefined;

/** A module of Node itself, without importing it; undefined outside Node. */
export function builtinModule<T>(id: string): T | undefined {
  return nodeProcess?.getBuiltinModule?.(id) as T | undefined;
}

/** Prints a warning the way Node does; silent elsewhere. */
export function emitWarning(warning: string, type?: string, code?: string): void {
  nodeProcess?.emitWarning?.(warning, type, code);
}

/** `Symbol.dispose`, also where the engine does not have it yet. */
export const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? (Symbol.for("Symbol.dispose") as never);

/** `Symbol.asyncDispose`, also where the engine does not have it yet. */
export const ASYNC_DISPOSE: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for("Symbol.asyncDispose") as never);

/** Major version of Node; 0 elsewhere. For choices of speed, and for what newer versions took away or made an error. */
export const nodeMajor = Number.parseInt(nodeProcess?.versions?.node ?? "0", 10);

/** `process.nextTick` where there is one. */
export const nextTick = nodeProcess?.nextTick;

/** `setImmediate` where there is one. */
export const immediate = globals.setImmediate;

/** `setTimeout`. */
export const timeout = globals.setTimeout;
