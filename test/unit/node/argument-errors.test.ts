import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { hostFace, thrownBy } from "./host-face.ts";

type Case = [call: string, args: unknown[], name: string, code: string, message: string];

const PATH_TYPES = 'The "path" argument must be of type string or an instance of Buffer or URL.';
const TYPE = "ERR_INVALID_ARG_TYPE";
const VALUE = "ERR_INVALID_ARG_VALUE";
const RANGE = "ERR_OUT_OF_RANGE";

/** As Node 26 says it. */
const CASES: Case[] = [
  ["openSync", [3], "TypeError", TYPE, `${PATH_TYPES} Received type number (3)`],
  ["openSync", [undefined], "TypeError", TYPE, `${PATH_TYPES} Received undefined`],
  ["statSync", [{}], "TypeError", TYPE, `${PATH_TYPES} Received an instance of Object`],
  ["unlinkSync", [() => 1], "TypeError", TYPE, `${PATH_TYPES} Received function `],
  ["mkdirSync", [1n], "TypeError", TYPE, `${PATH_TYPES} Received type bigint (1n)`],
  [
    "statSync",
    ["a\0b"],
    "TypeError",
    VALUE,
    "The argument 'path' must be a string, Uint8Array, or URL without null bytes. Received 'a\\x00b'",
  ],
  ["openSync", ["f", "zz"], "TypeError", VALUE, "The argument 'flags' is invalid. Received 'zz'"],
  [
    "openSync",
    ["f", 1.5],
    "RangeError",
    RANGE,
    'The value of "flags" is out of range. It must be an integer. Received 1.5',
  ],
  [
    "openSync",
    ["f", "r", "9"],
    "TypeError",
    VALUE,
    "The argument 'mode' must be a 32-bit unsigned integer or an octal string. Received '9'",
  ],
  [
    "chmodSync",
    ["f", -1],
    "RangeError",
    RANGE,
    'The value of "mode" is out of range. It must be >= 0 && <= 4294967295. Received -1',
  ],
  [
    "closeSync",
    [Object.create(null)],
    "TypeError",
    TYPE,
    'The "fd" argument must be of type number. Received an instance of Object',
  ],
  ["closeSync", ["x"], "TypeError", TYPE, `The "fd" argument must be of type number. Received type string ('x')`],
  [
    "closeSync",
    [-1],
    "RangeError",
    RANGE,
    'The value of "fd" is out of range. It must be >= 0 && <= 2147483647. Received -1',
  ],
  ["accessSync", ["f", 8], "RangeError", RANGE, "mode is out of range: >= 0 && <= 7"],
  ["accessSync", ["f", "x"], "TypeError", TYPE, "mode must be int32 or null/undefined"],
  [
    "readSync",
    [3, "x"],
    "TypeError",
    TYPE,
    `The "buffer" argument must be an instance of Buffer, TypedArray, or DataView. Received type string ('x')`,
  ],
  [
    "readSync",
    [3, new Uint8Array(4), 0, 4, 2 ** 53],
    "RangeError",
    RANGE,
    'The value of "position" is out of range. It must be >= -1 && <= 9007199254740991. Received 9_007_199_254_740_992',
  ],
  [
    "writeSync",
    [3, new Uint8Array(4), 0, 9],
    "RangeError",
    RANGE,
    'The value of "length" is out of range. It must be <= 4. Received 9',
  ],
  [
    "writeSync",
    [3, null],
    "TypeError",
    TYPE,
    'The "buffer" argument must be of type string or an instance of Buffer, TypedArray, or DataView. Received null',
  ],
  [
    "writeSync",
    [3, "abc", 0, "hex"],
    "TypeError",
    VALUE,
    "The argument 'encoding' is invalid for data of length 3. Received 'hex'",
  ],
  [
    "readvSync",
    [3, [1]],
    "TypeError",
    TYPE,
    'The "buffers" argument must be an ArrayBufferView[]. Received an instance of Array',
  ],
  [
    "readFileSync",
    ["f", 5],
    "TypeError",
    TYPE,
    'The "options" argument must be one of type string or object. Received type number (5)',
  ],
  ["readFileSync", ["f", "zz"], "TypeError", VALUE, "The argument 'encoding' is invalid encoding. Received 'zz'"],
  [
    "writeFileSync",
    ["f", "x", { flush: 1 }],
    "TypeError",
    TYPE,
    'The "options.flush" property must be of type boolean. Received type number (1)',
  ],
  [
    "utimesSync",
    ["f", "a", 1],
    "TypeError",
    TYPE,
    `The "time" argument must be an instance of Date or an Time in seconds. Received type string ('a')`,
  ],
  [
    "symlinkSync",
    ["a", "b", "zz"],
    "TypeError",
    VALUE,
    "The argument 'type' must be one of: 'dir', 'file', 'junction', null, undefined. Received 'zz'",
  ],
  [
    "rmSync",
    ["f", { force: 1 }],
    "TypeError",
    TYPE,
    'The "options.force" property must be of type boolean. Received type number (1)',
  ],
  [
    "rmdirSync",
    ["f", { recursive: true }],
    "TypeError",
    VALUE,
    "The property 'options.recursive' is no longer supported. Received true",
  ],
];

describe("wrong arguments", () => {
  for (const [call, args, name, code, message] of CASES) {
    it(`${call}(${inspect(args, { breakLength: Infinity }).slice(1, -1)})`, () => {
      const { fs } = hostFace();
      const error = thrownBy(() => (fs as unknown as Record<string, (...all: unknown[]) => unknown>)[call](...args));
      expect([error.name, error.code, error.message]).toEqual([name, code, message]);
      expect(Object.keys(error)).toEqual(["code"]);
      expect(error.constructor).toBe(name === "TypeError" ? TypeError : RangeError);
    });
  }

  it("shows the code in the stack and in toString", () => {
    const { fs } = hostFace();
    const error = thrownBy(() => fs.openSync("f", "zz"));
    expect(String(error)).toBe("TypeError [ERR_INVALID_ARG_VALUE]: The argument 'flags' is invalid. Received 'zz'");
    expect(error.stack?.split("\n")[0]).toBe(String(error));
    expect(error.stack).toContain("argument-errors.test.ts");
    expect(error.name).toBe("TypeError");
  });

  it("refuses file URLs that name no path", () => {
    const { fs } = hostFace();
    const codes = ["file://host/x", "file:///a%2fx", "http://a/x"].map(
      (url) => thrownBy(() => fs.statSync(new URL(url))).code,
    );
    expect(codes).toEqual(["ERR_INVALID_FILE_URL_HOST", "ERR_INVALID_FILE_URL_PATH", "ERR_INVALID_URL_SCHEME"]);
    expect(thrownBy(() => fs.statSync(new URL("file:///%ff"))).name).toBe("URIError");
  });

  it("existsSync takes anything and answers no", () => {
    const { fs } = hostFace();
    for (const path of [undefined, 3, {}, "", "a\0b", new URL("http://x")]) {
      expect(fs.existsSync(path as string)).toBe(false);
    }
  });
});

describe("errors of system calls", () => {
  it("have Node's text and its order of properties", () => {
    const { fs, at } = hostFace();
    const error = thrownBy(() => fs.renameSync(at("a"), at("b")));
    expect(error.message).toBe(`ENOENT: no such file or directory, rename '${at("a")}' -> '${at("b")}'`);
    expect(Object.entries(error)).toEqual([
      ["errno", -2],
      ["code", "ENOENT"],
      ["syscall", "rename"],
      ["path", at("a")],
      ["dest", at("b")],
    ]);
    expect(error.constructor).toBe(Error);
  });

  it("put the code last for writeSync, as Node does", () => {
    const { fs } = hostFace();
    expect(Object.keys(thrownBy(() => fs.writeSync(9999, "x")))).toEqual(["errno", "syscall", "code"]);
  });

  it("blame the failing prefix in realpath", () => {
    const { fs, at } = hostFace();
    const error = thrownBy(() => fs.realpathSync(at("none/x/y")));
    expect([error.syscall, error.path]).toEqual(["lstat", at("none")]);
    expect(thrownBy(() => fs.realpathSync.native(at("none/x"))).syscall).toBe("realpath");
  });

  it("have rm's two own shapes", () => {
    const { fs, at } = hostFace();
    fs.mkdirSync(at("d"));
    const error = thrownBy(() => fs.rmSync(at("d")));
    expect([error.name, error.code, error.errno, error.syscall]).toEqual(["SystemError", "ERR_FS_EISDIR", 21, "rm"]);
    expect(error.message).toBe(`Path is a directory: rm returned EISDIR (is a directory) ${at("d")}`);
    expect(String(error)).toBe(`SystemError [ERR_FS_EISDIR]: ${error.message}`);
    expect(inspect(error)).toMatch(/info: \{[^}]*syscall: 'rm'/);
    const { info } = error as never as { info: { path: string } };
    Object.assign(error, { path: "other" });
    expect([error.path, info.path]).toEqual(["other", "other"]);
    expect(thrownBy(() => fs.rmSync(at("none"))).syscall).toBe("lstat");
  });
});
