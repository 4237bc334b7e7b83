/**
 * Text to UTF-8 and back: the platform's encoder and decoder, looked up once, when the module loads, since
 * programs that run scripts of others take the classes away meanwhile; or plain code where it has none.
 *
 * Does not own: Buffer, which is faster where there is one (node/encoding.ts, wasm/path-buffer.ts).
 */
import * as plain from "./plain-utf8.ts";

/** TextEncoder, as far as it is used. */
export const utf8Encoder: Pick<TextEncoder, "encode" | "encodeInto"> =
  typeof TextEncoder === "function" ? new TextEncoder() : plain;

/** TextDecoder, as far as it is used: lossy, byte order marks stay. Refuses shared memory in browsers. */
export const utf8Decoder: { decode(bytes: Uint8Array): string } =
  typeof TextDecoder === "function" ? new TextDecoder("utf-8", { ignoreBOM: true }) : plain;
