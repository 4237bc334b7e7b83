/** zlib's form of data (RFC 1950), for binary patches: fflate, since neither Node nor browsers have it for all and at once. */
import { unzlibSync, zlibSync } from "fflate";

export const deflate: (bytes: Uint8Array) => Uint8Array = zlibSync;

/** @param length of the data, bytes @returns undefined for bytes that are not that */
export function inflate(bytes: Uint8Array, length: number): Uint8Array | undefined {
  try {
    const data = unzlibSync(bytes, { out: new Uint8Array(length + 1) }); // no more than that is made of it
    return data.length === length ? data : undefined;
  } catch {
    return undefined;
  }
}
