/** foliofs/just-bash with the real package: each method and the shell's commands do what they do on its own file system. */
import { expect, it } from "vitest";
import { compile, toldBy } from "./sandbox-folder.ts";

/** Where ours is another, by [ours, theirs]: what POSIX says, which the package's own leaves out. */
const DIFFERENCES = {
  modes: [
    // chmod follows a link
    [
      'stat("/f") → {"isFile":true,"isDirectory":false,"isSymbolicLink":false,"mode":384,"size":1}',
      'stat("/f") → {"isFile":true,"isDirectory":false,"isSymbolicLink":false,"mode":489,"size":1}',
    ],
    [
      'lstat("/l") → {"isFile":false,"isDirectory":false,"isSymbolicLink":true,"mode":511,"size":1}',
      'lstat("/l") → {"isFile":false,"isDirectory":false,"isSymbolicLink":true,"mode":384,"size":1}',
    ],
  ],
  "symbolic links": [
    // writing goes through a link, and does not replace it
    ['readFile("/d/f") → "changed"', 'readFile("/d/f") → "through"'],
    [expect.stringContaining('{"name":"l","isFile":false'), expect.stringContaining('{"name":"l","isFile":true')],
  ],
  copies: [
    // the order of all paths is that of listings, not that in which they were made
    [expect.stringContaining('"/a/b","/a/b/g","/a/f"'), expect.stringContaining('"/a/f","/a/b","/a/b/g"')],
  ],
};

it("has every method of IFileSystem, a shell on it, and limits", () => {
  const [methods, shells, codes, ...rest] = toldBy("just-bash.mjs");
  expect(methods).toEqual({ differences: DIFFERENCES, nr: 163 });
  // Hard links are one file, whichever name is written to.
  expect(shells).toEqual([
    [expect.stringMatching(/^ln f hard/), ["hello\nmore\nsame\n", "", 0], ["hello\n", "", 1]],
    [expect.stringMatching(/^chmod 600 f/), ["600 11\nno\n", "", 0], ["600 6\nno\n", "", 0]],
  ]);
  expect(codes).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 127, 0, 0]); // it has no xxd
  expect(rest).toEqual([
    ["ENOSPC", "ENOSPC", 0],
    ["mine\n", false, false],
    [true, "mounted", true],
  ]);
});

it("is what the package's types ask for", () => {
  compile(`
    import { createBashFs } from "foliofs/just-bash";
    import { Bash, type IFileSystem } from "just-bash";
    export const fs: IFileSystem = createBashFs({ size: 2 ** 20 });
    export const bash = new Bash({ fs: createBashFs() });`);
});
