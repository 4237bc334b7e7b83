/**
 * FileHandles and Dirs that nobody closes are closed when they are collected. In a process of their own, which may ask
 * for a collection and may end by an uncaught exception.
 */
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";

const PROGRAM = `
  import { readFileSync } from "node:fs";
  import { createFsSync } from "./src/index-create.ts";
  import { useCoreModule } from "./src/wasm/core-module.ts";
  useCoreModule(new WebAssembly.Module(readFileSync("build/core-release.wasm")), { shared: false });

  const told = [];
  process.on("warning", ({ name, code, message }) => told.push([name, code ?? "", message]));
  process.on("uncaughtException", ({ name, code, message }) => told.push([name, code, message]));

  const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
  async function collectUntil(isDone) {
    for (let i = 0; i < 100 && !isDone(); i++) {
      await turn(); // what a WeakRef was asked for stays until then
      gc();
      await turn();
    }
  }
  const isOpen = (fs, fd) => {
    try {
      return fs.fstatSync(fd) !== undefined;
    } catch {
      return false;
    }
  };
  const make = () => {
    const fs = createFsSync({ memoryLimit: 2 ** 24 });
    fs.mkdirSync("/d/below", { recursive: true });
    fs.writeFileSync("/f", "text");
    return fs;
  };
`;

interface Report {
  told: [name: string, code: string, message: string][];
  [key: string]: unknown;
}

/** Runs `body` in a module that has the above; it sets fields of `report`. */
function run(body: string): Report {
  const source = `${PROGRAM}\nconst report = { told };\n${body}\nconsole.log(JSON.stringify(report));`;
  const args = ["--no-warnings", "--expose-gc", "--import", "tsx", "--input-type=module", "--eval", source];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as Report;
}

const isThrowing = Number.parseInt(process.versions.node, 10) >= 25;

describe("what is dropped without being closed", () => {
  it("is closed when it is collected: a FileHandle, in the words of the running Node", () => {
    const { told, fds, ...report } = run(`
      const fs = make();
      const openAll = async () => [(await fs.promises.open("/f")).fd, (await fs.promises.open(Buffer.from("/f"))).fd];
      const fds = await openAll();
      report.before = fds.map((fd) => isOpen(fs, fd));
      await collectUntil(() => !fds.some((fd) => isOpen(fs, fd)));
      await turn();
      report.after = fds.map((fd) => isOpen(fs, fd));
      report.fds = fds;
    `);
    expect(report).toEqual({ before: [true, true], after: [false, false] });
    const messages = told.map(([, , message]) => message).sort();
    if (isThrowing) {
      expect(told.map(([, code]) => code)).toEqual(["ERR_INVALID_STATE", "ERR_INVALID_STATE"]);
      for (const fd of fds as number[]) expect(messages.join()).toContain(`File descriptor: ${fd} (/f)`);
    } else {
      const warnings = (fds as number[]).map((fd) => `Closing file descriptor ${fd} on garbage collection`);
      expect(messages.slice(1)).toEqual(warnings.sort());
      expect(told.filter(([, code]) => code === "DEP0137")).toHaveLength(1);
    }
  });

  it("is closed when it is collected: a Dir, with those below it that it has open", () => {
    const { told, ...report } = run(`
      const fs = make();
      const openAll = () => {
        const dir = fs.opendirSync("/d", { recursive: true });
        return dir.readSync().name;
      };
      report.name = openAll();
      const fds = [3, 4];
      report.before = fds.map((fd) => isOpen(fs, fd));
      await collectUntil(() => !fds.some((fd) => isOpen(fs, fd)));
      await turn();
      report.after = fds.map((fd) => isOpen(fs, fd));
    `);
    expect(report).toEqual({ name: "below", before: [true, true], after: [false, false] });
    expect(told).toEqual([["Warning", "", "Closing directory handle on garbage collection"]]);
  });

  it("is left alone, and nothing said, when it was closed, or its task or its kernel has ended", () => {
    const { told, ...report } = run(`
      const fs = make();
      const other = make();
      const task = fs.kernel.task({});
      const dropAll = async () => {
        const handles = [];
        for (const each of [fs, other, task]) handles.push(await each.promises.open("/f"), each.opendirSync("/d"));
        await Promise.all(handles.slice(0, 2).map((handle) => handle.close()));
        return handles.map((handle) => new WeakRef(handle));
      };
      const dropped = await dropAll();
      fs.kernel.exit(task);
      other.kernel.destroy();
      await collectUntil(() => dropped.every((ref) => ref.deref() === undefined));
      await turn();
      report.left = dropped.filter((ref) => ref.deref() !== undefined).length;
    `);
    expect({ told, ...report }).toEqual({ told: [], left: 0 });
  });

  it("stays open while a call is under way, or while anything stands for it", () => {
    const { told, ...report } = run(`
      const fs = make();
      const keep = [new Proxy(await fs.promises.open("/f"), {}), (await fs.promises.open("/f")).close];
      for (let i = 0; i < 10; i++) { gc(); await turn(); }
      report.open = [3, 4].map((fd) => isOpen(fs, fd));
      report.kept = keep.length;
    `);
    expect({ told, ...report }).toEqual({ told: [], open: [true, true], kept: 2 });
  });

  it("keeps no file system alive", () => {
    const { told, ...report } = run(`
      const dropAll = async () => {
        const fs = make();
        const [handle, dir] = [await fs.promises.open("/f"), fs.opendirSync("/d")];
        return [fs, fs.kernel, handle, dir].map((object) => new WeakRef(object));
      };
      const dropped = await dropAll();
      await collectUntil(() => dropped.every((ref) => ref.deref() === undefined));
      report.left = dropped.filter((ref) => ref.deref() !== undefined).length;
    `);
    expect(report.left).toBe(0);
  });

  it("is told by its name and stays pinned: a view of pages, in debug builds", () => {
    for (const build of ["debug", "release"]) {
      const { told, ...report } = run(`
        useCoreModule(new WebAssembly.Module(readFileSync("build/core-${build}.wasm")), { shared: false });
        const { registerStoreSupport } = await import("./src/vfs/store-support.ts");
        const { registerMmap } = await import("./src/index-mmap.ts");
        registerStoreSupport();
        registerMmap();
        const fs = make();
        const fd = fs.openSync("/f", "r");
        const isLast = () => {
          fs.readView(fd).release();
          const view = fs.readView(fd, 1);
          return new WeakRef(view);
        };
        const dropped = isLast();
        await collectUntil(() => dropped.deref() === undefined);
        await turn();
        report.isGone = dropped.deref() === undefined;
        fs.unlinkSync("/f");
        fs.kernel.verify();
      `);
      expect(report).toEqual({ isGone: true });
      const warning = ["FoliofsWarning", "", "A view of '/f' (3 bytes) was never released"];
      expect(told).toEqual(build === "debug" ? [warning] : []);
    }
  });
});
