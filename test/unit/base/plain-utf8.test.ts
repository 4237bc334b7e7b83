/** UTF-8 in plain code answers as the platform's TextEncoder and TextDecoder do. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decode, encode, encodeInto } from "../../../src/base/plain-utf8.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Texts with every length of sequence, and with lone surrogates. */
const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0x10ffff }).map((point) => String.fromCodePoint(point)) });

/** Bytes that begin, carry on and break off sequences more often than chance would have it. */
const anyBytes = fc
  .array(
    fc.oneof(
      fc.constantFrom(0x61, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf),
      fc.integer({ min: 0xe0, max: 0xff }),
    ),
  )
  .map((bytes) => Uint8Array.from(bytes));

describe("plain UTF-8", () => {
  it("encodes any text", () => {
    const property = fc.property(anyText, (text) => {
      expect(encode(text)).toEqual(encoder.encode(text));
    });
    fc.assert(property, { numRuns: 2000 });
  });

  it("encodes into what room there is", () => {
    const room = fc.integer({ min: 0, max: 20 });
    const property = fc.property(anyText, room, (text, size) => {
      const [ours, theirs] = [new Uint8Array(size), new Uint8Array(size)];
      expect(encodeInto(text, ours)).toEqual(encoder.encodeInto(text, theirs));
      expect(ours).toEqual(theirs);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  it("decodes any bytes", () => {
    const property = fc.property(anyBytes, (bytes) => {
      expect(decode(bytes)).toBe(decoder.decode(bytes));
    });
    fc.assert(property, { numRuns: 20_000 });
  });

  it.each(["", "\ufeffa", "aé€😀", "\u0000\u007f\u0080\u07ff\u0800\uffff"])("gets %j back", (text) => {
    expect(decode(encode(text))).toBe(text);
  });
});
