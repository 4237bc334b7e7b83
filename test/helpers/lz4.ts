/** LZ4 for compressedSwap(). */
import { compressSync, uncompressSync } from "lz4-napi";

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

export const lz4 = {
  compress: (page: Uint8Array): Uint8Array => compressSync(bufferOf(page)),
  decompress: (bytes: Uint8Array): Uint8Array => uncompressSync(bufferOf(bytes)),
};
