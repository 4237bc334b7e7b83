/** The package as a user gets it: packed, installed in an empty folder, used from ESM, CommonJS and TypeScript. */
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeUserFolder, ROOT, type UserFolder } from "./user-folder.ts";

const TSC = join(ROOT, "node_modules/typescript/bin/tsc");
const USED = "hello 5 bigint a hello\n";

let user: UserFolder;

beforeAll(() => {
  user = makeUserFolder();
});

afterAll(() => user?.remove());

/** Lists all files that the exports map of package.json names. */
function exported(entry: unknown): string[] {
  if (typeof entry === "string") return [entry];
  return Object.values(entry as object).flatMap(exported);
}

describe("the tarball", () => {
  it("holds what package.json exports, and no sources, tests or tools", () => {
    const { exports, main, module, types } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const wanted = [...exported(exports), main, module, types].map((path) => path.replace(/^\.\//, ""));

    const isPublic = /^(?:dist|docs)\/|^(?:[A-Z]+\.md|LICENSE|(?:shared\/)?package\.json)$/;
    expect([...wanted, "LICENSE", "README.md"].filter((path) => !user.packed.includes(path))).toEqual([]);
    expect(user.packed.filter((path) => !isPublic.test(path))).toEqual([]);
  });

  it("brings no other package along", () => {
    const { packages } = JSON.parse(readFileSync(join(user.folder, "package-lock.json"), "utf8"));

    expect(Object.keys(packages)).toEqual(["", "node_modules/foliofs"]);
  });
});

describe("in Node", () => {
  const USE = `
    const fs = createFsSync();
    fs.writeFileSync("/a", "hello");
    console.log(fs.readFileSync("/a", "utf8"), Buffer.isBuffer(fs.readFileSync("/a")), fs.readdirSync("/").join());`;

  it("works as an ES module", () => {
    expect(user.node("esm.mjs", `import { createFsSync } from "foliofs";${USE}`)).toBe("hello true a\n");
  });

  it("works as CommonJS", () => {
    expect(user.node("cjs.cjs", `const { createFsSync } = require("foliofs");${USE}`)).toBe("hello true a\n");
  });

  it.each([
    ["an ES module", "host.mjs", 'import { hostfs } from "foliofs/host"; import { createFsSync } from "foliofs";'],
    [
      "CommonJS",
      "host.cjs",
      'const { hostfs } = require("foliofs/host"); const { createFsSync } = require("foliofs");',
    ],
  ])("mounts a folder of the host, as %s", (_form, file, load) => {
    const use = `
      const fs = createFsSync();
      fs.kernel.registerFileSystem(hostfs);
      fs.mkdirSync("/mnt");
      fs.kernel.mount({ type: "hostfs", source: ".", target: "/mnt", data: "ro,cache=none" });
      console.log(fs.existsSync("/mnt/node_modules/foliofs/package.json"), fs.readdirSync("/mnt").includes("${file}"));`;
    expect(user.node(file, load + use)).toBe("true true\n");
  });

  it.each([
    ["an ES module", "proc.mjs", 'import { proc } from "foliofs/proc"; import { createFsSync } from "foliofs";'],
    ["CommonJS", "proc.cjs", 'const { proc } = require("foliofs/proc"); const { createFsSync } = require("foliofs");'],
    // Each entry has a copy of the VFS's part for file systems with a store: whichever comes last, all must work.
    [
      "an ES module for browsers, before the store's",
      "proc-browser.mjs",
      'import { proc } from "foliofs/proc"; import "foliofs/store"; import { createFsSync } from "foliofs/../dist/browser.js";',
    ],
  ])("shows the kernel as files, as %s", (_form, file, load) => {
    const use = `
      const fs = createFsSync({ memoryLimit: 64 * 2 ** 20 });
      fs.kernel.registerFileSystem(proc);
      fs.mkdirSync("/proc");
      fs.kernel.mount({ type: "proc", target: "/proc" });
      const fd = fs.openSync("/gone", "w+");
      fs.writeSync(fd, "still there");
      fs.unlinkSync("/gone");
      fs.writeFileSync("/proc/sys/vm/swappiness", "0");
      console.log(fs.readFileSync("/proc/self/fd/" + fd, "utf8"), fs.readFileSync("/proc/meminfo", "utf8").split("\\n")[0]);
      fs.closeSync(fd);
      fs.kernel.umount("/proc");`;
    expect(user.node(file, load.replace("foliofs/../dist", "./node_modules/foliofs/dist") + use)).toMatch(
      /^still there MemTotal: +6\d{4} kB\n$/,
    );
  });

  it.each([
    ["an ES module", "lazy.mjs", 'import { mountLazy } from "foliofs/lazy"; import { createFsSync } from "foliofs";'],
    [
      "CommonJS",
      "lazy.cjs",
      'const { mountLazy } = require("foliofs/lazy"); const { createFsSync } = require("foliofs");',
    ],
    [
      "an ES module for browsers",
      "lazy-browser.mjs",
      'import { mountLazy } from "foliofs/lazy"; import { createFsSync } from "./node_modules/foliofs/dist/browser.js";',
    ],
    [
      "CommonJS for browsers",
      "lazy-browser.cjs",
      'const { mountLazy } = require("foliofs/lazy"); const { createFsSync } = require("./node_modules/foliofs/dist/browser.cjs");',
    ],
  ])("mounts a tree that is asked, as %s", (_form, file, load) => {
    const use = `
      const fs = createFsSync();
      fs.mkdirSync("/m");
      const list = (path) => (path === "/" ? [{ name: "d", type: "directory" }] : [{ name: "f", type: "file" }]);
      const later = async () => Buffer.from("slowly");
      const mount = mountLazy(fs.kernel, { list, loadFile: later }, { target: "/m" });
      const main = async () => {
        console.log(fs.readdirSync("/m/d").join(), await fs.promises.readFile("/m/d/f", "utf8"), fs.statSync("/m/d/f").size);
        mount.invalidate();
        try { fs.readFileSync("/m/d/f"); } catch ({ code }) { console.log(code); }
        await fs.kernel.umountAsync("/m");
      };
      main();`;
    expect(user.node(file, load + use)).toBe("f slowly 6\nEAGAIN\n");
  });

  it.each([
    ["an ES module", "bash.mjs", 'import { createBashFs } from "foliofs/just-bash";'],
    ["CommonJS", "bash.cjs", 'const { createBashFs } = require("foliofs/just-bash");'],
    [
      "an ES module",
      "agent.mjs",
      'import { createAgentFs } from "foliofs/agentfs"; const createBashFs = (options) => { const box = createAgentFs(options); return Object.assign(box, { fs: box.face }); };',
    ],
    ["an ES module", "shell.mjs", 'import { createShellFs as createBashFs } from "foliofs/cloudflare-shell";'],
    ["CommonJS", "shell.cjs", 'const { createShellFs: createBashFs } = require("foliofs/cloudflare-shell");'],
  ])("has file systems for sandboxes, as %s", (_form, file, load) => {
    const use = `
      const main = async () => {
        const box = createBashFs({ size: 2 ** 20 });
        await box.writeFile("/a/b", "in a box");
        console.log(String(await box.readFile("/a/b")), box.fs.statfsSync("/").blocks);
      };
      main();`;
    expect(user.node(file, load + use)).toBe("in a box 256\n");
  });

  it.each([
    ["an ES module", "layers.mjs", 'import { overlay } from "foliofs/layers"; import { createFsSync } from "foliofs";'],
    [
      "CommonJS",
      "layers.cjs",
      'const { overlay } = require("foliofs/layers"); const { createFsSync } = require("foliofs");',
    ],
    [
      "an ES module for browsers",
      "layers-browser.mjs",
      'import { overlay } from "foliofs/layers"; import { createFsSync } from "foliofs/../dist/browser.js";',
    ],
  ])("shows several trees as one, as %s", (_form, file, load) => {
    const use = `
      const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [overlay] });
      for (const dir of ["/l", "/u", "/w", "/m"]) fs.mkdirSync(dir);
      fs.writeFileSync("/l/a", "below");
      fs.kernel.mount({ type: "overlay", target: "/m", data: "lowerdir=/l,upperdir=/u,workdir=/w" });
      fs.appendFileSync("/m/a", ", above");
      fs.renameSync("/m/a", "/m/b");
      fs.truncateSync("/m/b", 9);
      console.log(fs.readdirSync("/m").join(), fs.readFileSync("/m/b", "utf8"), fs.readFileSync("/l/a", "utf8"));
      fs.kernel.umount("/m");
      // Files of both are read by the core, whoever has mounted them: so they share pages.
      fs.writeFileSync("/l/big", Buffer.alloc(2 ** 20, 1));
      const layer = fs.kernel.layer({ lower: "/l", target: "/m", size: "1m" });
      fs.appendFileSync("/m/big", "more");
      console.log(layer.usage().bytes);
      const [saved, tar] = [layer.save(), layer.saveTar()];
      layer.drop();
      for (const loaded of [() => fs.kernel.load(saved, { lower: "/l", target: "/m" }), () => fs.kernel.loadTar(tar, { lower: "/l", target: "/m" })]) {
        const again = loaded();
        console.log(fs.statSync("/m/big").size);
        again.drop();
      }
      // Names below are changed by the operations of another entry than the layer's.
      const last = fs.kernel.layer({ lower: "/l", target: "/m" });
      fs.writeFileSync("/m/big", "less");
      last.commit();
      console.log(fs.readFileSync("/l/big", "utf8"));`;
    expect(user.node(file, load.replace("foliofs/../dist", "./node_modules/foliofs/dist") + use)).toBe(
      "b below, ab below\n4096\n1048580\n1048580\nless\n",
    );
  });

  it.each([
    ["slabs.mjs", ["foliofs/store", "foliofs/proc"]],
    ["slabs2.mjs", ["foliofs/proc", "foliofs/store"]],
  ])("shows records that another entry keeps: %s", (file, entries) => {
    const source = `
      import { createFsSync } from "foliofs";
      const [a, b] = [await import("${entries[0]}"), await import("${entries[1]}")];
      const { proc, kmemCacheCreate } = { ...a, ...b };
      const fs = createFsSync({ types: [proc] });
      fs.mkdirSync("/proc");
      fs.kernel.mount({ type: "proc", target: "/proc" });
      kmemCacheCreate(fs.kernel.vfs, "cats", 64);
      console.log(/^cats +0 /m.test(fs.readFileSync("/proc/slabinfo", "utf8")));`;
    expect(user.node(file, source)).toBe("true\n");
  });

  it.each([
    ["an ES module", "shared.mjs", 'import "foliofs/shared"; import { createFsSync } from "foliofs";'],
    ["CommonJS", "shared.cjs", 'require("foliofs/shared"); const { createFsSync } = require("foliofs");'],
  ])("has the core for shared memory, as %s", (_form, file, load) => {
    const use = USE.replace("createFsSync()", "createFsSync({ shared: true })");

    expect(user.node(file, load + use)).toBe("hello true a\n");
  });

  it("works in a worker thread", () => {
    const source = `
      import { isMainThread, Worker } from "node:worker_threads";
      import { createFsSync } from "foliofs";
      if (isMainThread) new Worker(new URL(import.meta.url));
      else {${USE}}`;

    expect(user.node("worker.mjs", source)).toBe("hello true a\n");
  });
});

describe("in TypeScript", () => {
  const OPTIONS = [
    "--strict",
    "--target",
    "es2022",
    "--types",
    "node",
    "--typeRoots",
    join(ROOT, "node_modules/@types"),
  ];

  it.each([
    ["an ES module", "use.mts", ["--module", "nodenext"], "use.mjs"],
    ["CommonJS", "use.cts", ["--module", "nodenext"], "use.cjs"],
    [
      "source for a bundler",
      "bundled.ts",
      ["--module", "esnext", "--moduleResolution", "bundler", "--noEmit"],
      undefined,
    ],
  ])("compiles %s", (_form, file, options, output) => {
    cpSync(join(ROOT, "test/package/consumer/use.ts"), join(user.folder, file));
    user.run(process.execPath, [TSC, ...OPTIONS, ...options, file]);

    if (output === undefined) return;
    expect(existsSync(join(user.folder, output))).toBe(true);
    expect(user.run(process.execPath, [output])).toBe(USED);
  });
});
