/** What entries may bring with them: streams over files (streams/part.ts). Without them, their names say so. */
import type { Operations } from "./operations/index.ts";

/** The functions and classes of a face that make streams. */
export interface StreamForms {
  readonly createReadStream: unknown;
  readonly createWriteStream: unknown;
  readonly ReadStream: unknown;
  readonly WriteStream: unknown;
  readonly FileReadStream: unknown;
  readonly FileWriteStream: unknown;
  readonly Utf8Stream: unknown;
}

/**
 * Makes the streams of a face.
 *
 * @param face the face, asked for when it is needed
 * @param handlePrototype that of FileHandle, which gets its methods
 * @param kHandle where a FileHandle has its OpenFile
 */
export type StreamsPart = (
  ops: Operations,
  face: () => object,
  handlePrototype: object,
  kHandle: symbol,
) => StreamForms;
