/**
 * The modules as a browser has them: bundled, in a realm with no process, no Buffer and no setImmediate.
 */
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";

interface Modules {
  encoding: typeof import("../../../src/node/encoding.ts");
  errors: typeof import("../../../src/node/errors.ts");
  settle: typeof import("../../../src/node/settle.ts");
  face: typeof import("../../../src/node/index.ts");
}

const SOURCE = `
  export * as encoding from "./src/node/encoding.ts";
  export * as errors from "./src/node/errors.ts";
  export * as settle from "./src/node/settle.ts";
  export * as face from "./src/node/index.ts";
`;

const BROWSER_GLOBALS = {
  AbortController,
  MessageChannel,
  TextDecoder,
  TextEncoder,
  URL,
  atob,
  btoa,
  performance,
  queueMicrotask,
  setTimeout,
};

async function loadWithoutNode(): Promise<Modules> {
  const { outputFiles } = await build({
    stdin: { contents: SOURCE, resolveDir: process.cwd() },
    bundle: true,
    write: false,
    format: "iife",
    globalName: "modules",
    platform: "browser",
    target: "es2022",
  });
  const context = createContext({ ...BROWSER_GLOBALS });
  runInContext(`${outputFiles[0].text}; globalThis.modules = modules;`, context);
  return context.modules;
}

describe("without Node", () => {
  let modules: Modules;

  beforeAll(async () => {
    modules = await loadWithoutNode();
  });

  const BYTES = [
    [],
    [0],
    [1, 2],
    [0xff, 0xfe, 0x7f],
    [...new TextEncoder().encode("é€😀 text")],
    Array.from({ length: 256 }, (_, i) => i),
  ];

  for (const name of ["utf8", "utf16le", "latin1", "ascii", "hex", "base64", "base64url"] as const) {
    it(`decodes and encodes ${name} as Buffer does`, () => {
      const { decodeBytes, encodeText } = modules.encoding;
      for (const bytes of BYTES) {
        const text = decodeBytes(new Uint8Array(bytes), name);
        expect(text).toBe(Buffer.from(bytes).toString(name));
        expect([...encodeText(text, name)]).toEqual([...Buffer.from(text, name)]);
      }
    });
  }

  it("takes odd text as Buffer does", () => {
    for (const text of ["abc", "zz", "61zz", "YQ", "YQ==", "Y Q\n==", "a-_b", "YWJ"]) {
      for (const name of ["hex", "base64", "base64url"] as const) {
        const bytes = modules.encoding.encodeText(text, name);
        expect([...bytes], `${name} ${text}`).toEqual([...Buffer.from(text, name)]);
      }
    }
  });

  it("gives plain bytes", () => {
    expect(modules.encoding.allocBytes(3).constructor.name).toBe("Uint8Array");
    expect(modules.encoding.asBuffer(new DataView(new ArrayBuffer(4), 1, 2))).toHaveLength(2);
  });

  it("describes what it was given", () => {
    const values = ["a\0b", {}, { a: 1, b: "x" }, new Uint8Array(2), -0, null];
    const shown = values.map((value) => modules.errors.argValueError("x", value).message.split("Received ")[1]);
    expect(shown).toEqual(["'a\\x00b'", "{}", "{ a: 1, b: 'x' }", "Uint8Array(2) []", "-0", "null"]);
    expect(modules.errors.outOfRangeError("n", ">= 0", -(2 ** 40)).message).toContain("Received -1_099_511_627_776");
  });

  it("settles by microtasks, and by a channel once the event loop has waited", async () => {
    const { resolveSoon, soon1, soon2, soon3 } = modules.settle;
    const order: string[] = [];
    soon1((a) => order.push(String(a)), "later");
    soon2((a, b) => order.push(`${a} ${b}`), 1, 2);
    soon3((a, b, c) => order.push(`${a} ${b} ${c}`), 1, 2, 3);
    order.push("now");
    await resolveSoon(1);
    const end = performance.now() + 6;
    while (performance.now() < end);
    setImmediate(() => order.push("turn"));
    await resolveSoon(2);
    expect(order.slice(0, 4)).toEqual(["now", "later", "1 2", "1 2 3"]);
  });

  it("makes faces", () => {
    expect(Object.keys(modules.face.createFace({} as never))).toContain("readFileSync");
  });
});
