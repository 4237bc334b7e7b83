/// <reference lib="esnext.disposable" preserve="true" />
/**
 * What the declarations of a face take from the types of the platform. They must hold with Node's types and without,
 * with DOM's and without, so nothing here is imported: what a program may lack is described by its shape.
 */

declare global {
  // Named by the kernel's declarations. DOM's own, where a program has them, merge with these.
  namespace WebAssembly {
    interface Module {}
    interface Memory {}
  }
}

/** Contents and names as bytes: `Buffer` where the program has its type, else `Uint8Array`. */
export type Bytes = typeof globalThis extends { Buffer: { alloc(size: number): infer B extends Uint8Array } }
  ? B
  : ReturnType<Uint8ArrayConstructor["of"]>;

/** A moment, where the program has the type of Temporal. */
export type Instant = typeof globalThis extends { Temporal: { Instant: new (...args: never[]) => infer T } }
  ? T
  : unknown;

/** What openAsBlob gives, where the program has the type of it. */
export type PlatformBlob = typeof globalThis extends { Blob: new (...args: never[]) => infer T } ? T : unknown;

/** What readableWebStream gives, where the program has the type of it. */
export type PlatformReadableStream = typeof globalThis extends { ReadableStream: { prototype: infer T } } ? T : unknown;

/** What is used of a `file:` URL. */
export interface FileUrl {
  readonly href: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly pathname: string;
}

/** What is used of an AbortSignal. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** What system calls fail with. */
export interface ErrnoException extends Error {
  errno?: number | undefined;
  code?: string | undefined;
  syscall?: string | undefined;
  path?: string | undefined;
  dest?: string | undefined;
}
