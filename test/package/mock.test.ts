/** foliofs/mock, foliofs/bare and the cores as files, as they are published. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { ROOT } from "./user-folder.ts";

function outputOf(args: string[], program: string): string {
  return execFileSync(process.execPath, [...args, program], { cwd: ROOT, encoding: "utf8" });
}

const AS_MODULE = ["--input-type=module", "-e"];

it("has one file system for both modules, which can be made as it was at first", () => {
  const use = `
    const first = JSON.stringify(fs.toJSON());
    fs.writeFileSync("here", "text");
    promises.writeFile("/tmp/there", "text").then(() => {
      console.log(fs.existsSync(process.cwd() + "/here"), fs.readFileSync("/tmp/there", "utf8"), fs.promises === promises);
      reset();
      console.log(JSON.stringify(fs.toJSON()) === first, (fs.statSync("/tmp").mode & 0o7777).toString(8));
    });`;
  const expected = "true text true\ntrue 1777\n";
  expect(outputOf(AS_MODULE, `import { fs, promises, reset } from "./dist/mock.js";${use}`)).toBe(expected);
  expect(outputOf(["-e"], `const { fs, promises, reset } = require("./dist/mock.cjs");${use}`)).toBe(expected);
});

it("has no core in foliofs/bare, which takes a compiled one", () => {
  const program = `
    import { readFileSync } from "node:fs";
    import { createFs, createFsSync, restoreFsSync } from "./dist/bare.js";
    import "./dist/trees.js";
    const failure = (call) => { try { call(); } catch (error) { return error.code ?? error.message; } };
    console.log(failure(() => createFsSync()).includes("not in this bundle"), failure(() => createFsSync({ module: {} })));
    const nothing = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    console.log(failure(() => createFsSync({ module: nothing })));
    for (const [name, shared] of [["core", false], ["core-shared", true]]) {
      const module = new WebAssembly.Module(readFileSync("dist/" + name + ".wasm"));
      const fs = await createFs({ module, shared });
      fs.mkdirSync("/a");
      fs.writeFileSync("/a/b", "text");
      fs.cpSync("/a", "/c", { recursive: true });
      const copy = restoreFsSync(fs.kernel.snapshot(), { module, shared });
      const fork = fs.kernel.fork().fs;
      console.log(copy.readFileSync("/c/b", "utf8"), fork.readFileSync("/c/b", "utf8"),
        createFsSync({ module, shared }).kernel.vfs.core.memory.buffer.byteLength <= 2 * 2 ** 20);
    }`;
  const words = "foliofs: options.module is not foliofs/core.wasm of this version";
  expect(outputOf(AS_MODULE, program)).toBe(`true ERR_INVALID_ARG_TYPE\n${words}\ntext text true\ntext text true\n`);
  for (const name of ["bare.js", "bare.cjs"])
    expect(readFileSync(`dist/${name}`).length).toBeLessThan(readFileSync("dist/browser.js").length - 30_000);
});
