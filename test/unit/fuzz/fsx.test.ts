/** fsx itself: the model of a file, operations that can be performed whatever is left out, replays, options. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { parseFsxOptions } from "../../../src/cli/fsx-options.ts";
import { UsageError } from "../../../src/cli/usage.ts";
import { choicesFor } from "../../../src/fuzz/fsx/draw.ts";
import { FileModel } from "../../../src/fuzz/fsx/file-model.ts";
import { expectTrue, Mismatch } from "../../../src/fuzz/fsx/mismatch.ts";
import { OPERATION_NAMES, type Operation, operation, simplerOperations } from "../../../src/fuzz/fsx/operation.ts";
import { leaveRoom } from "../../../src/fuzz/fsx/pressure.ts";
import {
  FSX_MACHINES,
  FSX_REPLAY_VERSION,
  FSX_TARGETS,
  type FsxMachine,
  performFsxOperations,
  readFsxReplay,
  runFsx,
  writeFsxReplay,
} from "../../../src/fuzz.ts";
import type { FolioFs } from "../../../src/index.ts";

const LENGTH = 64 * 1024;
const OPTIONS = { maxMs: Number.MAX_SAFE_INTEGER, maxFindings: 1, length: LENGTH, isMapped: true, isDirect: true };

const change = fc.record({
  what: fc.constantFrom("write", "truncate", "grow", "zero", "collapse", "insert"),
  at: fc.nat({ max: 40 }),
  length: fc.integer({ min: 1, max: 40 }),
});

describe("the model of a file", () => {
  it("is what an array of bytes would be", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const model = new FileModel(10_000);
        let bytes: number[] = [];
        for (const [i, { what, at, length }] of changes.entries()) {
          const end = at + length;
          const zeros = (nr: number): number[] => new Array<number>(Math.max(0, nr)).fill(0);
          if (what === "write") {
            model.write(at, Buffer.alloc(length, i + 1));
            bytes = [...bytes, ...zeros(end - bytes.length)];
            bytes.fill(i + 1, at, end);
          } else if (what === "truncate") {
            model.truncate(at);
            bytes = [...bytes.slice(0, at), ...zeros(at - bytes.length)];
          } else if (what === "grow") {
            model.grow(end);
            bytes.push(...zeros(end - bytes.length));
          } else if (what === "zero") {
            model.zero(at, end);
            bytes.fill(0, at, end);
          } else if (what === "collapse" && end < bytes.length) {
            model.collapse(at, length);
            bytes.splice(at, length);
          } else if (what === "insert" && at < bytes.length) {
            model.insert(at, length);
            bytes.splice(at, 0, ...zeros(length));
          }
          assert.deepEqual([...model.all], bytes);
          assert.deepEqual([...model.bytes(at, length)], bytes.slice(at, end));
        }
      }),
    );
  });
});

describe("operations of fsx", () => {
  it("are the same by the same seed", async () => {
    const run = async (seed: number): Promise<Operation[]> => {
      const drawn: Operation[] = [];
      const makeMachine = () => FSX_MACHINES.tmpfs({ length: LENGTH });
      await runFsx({ ...OPTIONS, makeMachine, seed, maxOperations: 300, log: (one) => void drawn.push(one) });
      return drawn;
    };
    const [one, again, other] = [await run(1), await run(1), await run(2)];
    assert.equal(one.length, 300);
    assert.deepEqual(one, again);
    assert.notDeepEqual(one, other);
  });

  it("are each drawn for some machine", () => {
    const drawn = FSX_TARGETS.flatMap((on) => {
      const machine = FSX_MACHINES[on]({ length: LENGTH });
      const choices = choicesFor(machine, OPTIONS);
      machine.end();
      return choices.map(([, name]) => name);
    });
    assert.deepEqual([...new Set(drawn)].sort(), [...OPERATION_NAMES].sort());
  });

  it("can be performed whatever their numbers are, and whatever has been left out before", () => {
    const number = fc.nat({ max: LENGTH - 1 });
    const one = fc.record({
      op: fc.constantFrom(...OPERATION_NAMES.filter((name) => name !== "change" && name !== "umount")),
      file: fc.nat({ max: 1 }),
      other: fc.nat({ max: 1 }),
      by: fc.nat({ max: 4 }),
      at: number,
      to: number,
      length: number,
      seed: fc.nat({ max: 250 }),
      choice: fc.nat({ max: 11 }),
    });
    const make = () => FSX_MACHINES.tmpfs({ length: LENGTH });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 40 }), (operations) => {
        assert.equal(performFsxOperations(make, LENGTH, operations).finding?.message, undefined);
      }),
      { numRuns: 60 },
    );
  });

  it("have simpler ones, down to none", () => {
    const one = operation({ op: "read", at: 9000, length: 3, choice: 1 });
    const simple = [...simplerOperations(one)];
    assert.ok(simple.some(({ at }) => at === 8192));
    assert.ok(simple.every(({ op }) => op === "read"));
    assert.deepEqual([...simplerOperations(operation({ op: "read" }))], []);
  });
});

/** An object with other members in the place of its own. */
function changed<T extends object>(one: T, members: object): T {
  return new Proxy(one, {
    get(target, name) {
      if (name in members) return Reflect.get(members, name);
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

describe("findings of fsx", () => {
  const EIO = Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
  const fails = (): never => {
    throw EIO;
  };
  const write = operation({ op: "write", at: 0, length: 100, seed: 3 });
  const grow = operation({ op: "truncate", to: 8192 });

  /** Of operations on a machine whose calls beyond node:fs are others. */
  function found(
    change: (folio: FolioFs) => object,
    operations: readonly Operation[],
    more: Partial<FsxMachine> = {},
  ): [kind: string | undefined, message: string | undefined] {
    const make = (): FsxMachine => {
      const machine = FSX_MACHINES.tmpfs({ length: LENGTH });
      const folio = machine.folio as FolioFs;
      return changed(machine, { folio: changed(folio, change(folio)), ...more });
    };
    const { finding } = performFsxOperations(make, LENGTH, operations);
    return [finding?.kind, finding?.message];
  }

  it("are none where nothing is wrong", () => {
    const all = [write, grow, ...["seekExtents", "readView", "preadv2"].map((op) => operation({ op } as never))];
    assert.deepEqual(
      found(() => ({}), all),
      [undefined, undefined],
    );
  });

  it("are holes that are none, and ends that are not the file's", () => {
    const seekTo =
      (wrong: number) =>
      (folio: FolioFs): object => ({
        lseekSync: (fd: number, offset: number, whence: number) =>
          whence === 4 ? wrong : folio.lseekSync(fd, offset, whence),
      });
    const seek = operation({ op: "seekExtents" });
    assert.deepEqual(found(seekTo(7), [grow, seek]), ["SEEK_HOLE", "SEEK_HOLE: 7 at 0, no data there"]);
    assert.deepEqual(found(seekTo(9999), [write, seek]), [
      "SEEK_HOLE",
      "SEEK_HOLE: 9999 from 0 on, where data begins; size 100",
    ]);
  });

  it("are views of too many bytes, which are given back", () => {
    let nrHeld = 0;
    const readView = (folio: FolioFs) => ({
      readView: (...args: Parameters<FolioFs["readView"]>) => {
        const view = folio.readView(...args);
        nrHeld++;
        return changed(view, {
          length: 101,
          release: () => {
            nrHeld--;
            view.release();
          },
        });
      },
    });
    const view = operation({ op: "readView", length: 100 });
    assert.deepEqual(found(readView, [write, view]), ["readView", "readView: 101 bytes of 100"]);
    assert.equal(nrHeld, 0);
    const refused = found(() => ({}), [write, view], { mapRefusal: () => "ENODEV" });
    assert.deepEqual(refused, ["readView not ENODEV", "readView has succeeded, where ENODEV was expected"]);
  });

  it("are errors that nobody expects, and memory that is not as it should be", () => {
    const seek = operation({ op: "seekExtents" });
    assert.equal(found(() => ({ lseekSync: fails }), [seek])[0], "seekExtents throws Error: EIO: i/o error");
    const kernel = (folio: FolioFs, members: object) => ({ kernel: changed(folio.kernel, members) });
    const read = operation({ op: "preadv2", length: 10 });
    assert.equal(
      found((folio) => kernel(folio, { preadv2Sync: fails }), [write, read])[0],
      "preadv2 throws Error: EIO: i/o error",
    );
    assert.deepEqual(
      found((folio) => kernel(folio, { verify: fails }), [write]),
      ["verify", "verify: EIO: i/o error"],
    );
    const full = (): never => {
      throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    };
    const view = operation({ op: "readView", length: 100 });
    for (const [more, message] of [
      [{}, "readView: ENOSPC: no space left on device"],
      [{ mapRefusal: () => "ENODEV" }, "readView: ENOSPC: no space left on device, where ENODEV was expected"],
    ] as const)
      assert.deepEqual(
        found(() => ({ readView: full }), [write, view], more),
        ["readView ENOSPC", message],
      );
    assert.throws(
      () => expectTrue("lock", false),
      (error) => error instanceof Mismatch && error.finding.message === "lock: it is not so",
    );
  });

  it("tell which operations were about the bytes that are wrong", async () => {
    const makeMachine = (): FsxMachine => {
      const machine = FSX_MACHINES.tmpfs({ length: LENGTH });
      const readSync = (fd: number, buffer: Buffer, ...where: [number, number, number | null]): number => {
        const nr = machine.fs.readSync(fd, buffer, ...where);
        if (nr > 0) buffer[0] ^= 1;
        return nr;
      };
      return changed(machine, {
        get fs() {
          return changed(machine.fs, { readSync }); // another one after a fork
        },
      });
    };
    const { findings } = await runFsx({ ...OPTIONS, makeMachine, seed: 1, maxOperations: 2000 });
    const [{ kind, place, operations, touching }] = findings;
    const about = operations.filter((_, i) => touching.includes(i));
    assert.deepEqual([kind, operations.length, about.length], ["read bytes", 2, 1], JSON.stringify(operations));
    assert.deepEqual([operations[1].op, about[0]], ["read", operations[0]]);
    assert.equal(about[0].file, place?.file);
  });

  it("are not what is refused for want of room, where there may be none", async () => {
    const makeMachine = (): FsxMachine => {
      const machine = FSX_MACHINES.tmpfs({ length: LENGTH });
      const full = (): never => {
        throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
      };
      return changed(machine, {
        get fs() {
          return changed(machine.fs, { writeSync: full }); // another one after a fork
        },
        mayRefuse: (code: string) => code === "ENOSPC",
      });
    };
    const { findings, nrRefused } = await runFsx({ ...OPTIONS, makeMachine, seed: 1, maxOperations: 300 });
    assert.deepEqual(findings, []);
    assert.ok(nrRefused > 0);
  });

  it("are not made of a file that takes up memory: what else fails is told at once", () => {
    const fs = { mkdirSync: () => {}, kernel: { mount: () => {} }, openSync: () => 3, writeSync: fails };
    assert.throws(() => leaveRoom(fs as unknown as FolioFs, 0), EIO);
  });

  it("have files that can be listed, at a store", () => {
    const machine = FSX_MACHINES.store({ length: LENGTH });
    const paths = [0, 1].map((file) => machine.names(file)[0]);
    const folder = paths[0].slice(0, paths[0].lastIndexOf("/"));
    const names = (machine.fs.readdirSync(folder || "/") as string[]).map((name) => `${folder}/${name}`);
    for (const path of paths) assert.ok(names.includes(path), `${path} of ${names}`);
    machine.end();
  });
});

it("files on a layer are as they were, whatever is in the place of an unmount", () => {
  const machine = FSX_MACHINES.layer({ length: LENGTH });
  const read = (): Buffer[] => [0, 1].map((file) => Buffer.from(machine.fs.readFileSync(machine.names(file)[0])));
  machine.fs.writeFileSync(machine.names(0)[0], "changed");
  const before = read();
  const places = [0, 1, 2].map((choice) => {
    machine.umount?.(choice);
    assert.deepEqual(read(), before, `umount ${choice}`);
    return machine.names(0)[0];
  });
  assert.equal(new Set(places).size, 2); // a fork lies elsewhere
  machine.folio?.kernel.verify();
  machine.end();
});

describe("replays of fsx", () => {
  it("are the same again from their text", () => {
    const operations = [operation({ op: "write", at: 5, length: 10, seed: 3 }), operation({ op: "compare" })];
    const head = { fsx: FSX_REPLAY_VERSION, on: "tmpfs", length: LENGTH, about: "nothing" } as const;
    const text = writeFsxReplay({ head, operations });
    assert.equal(text.split("\n")[1], '{"op":"write","at":5,"length":10,"seed":3}');
    assert.deepEqual(readFsxReplay(text), { head, operations });
    assert.throws(() => readFsxReplay('{"replay":1}\n'), /no replay/);
    assert.throws(() => readFsxReplay(""), /no replay/);
  });
});

describe("arguments of fsx", () => {
  it("have defaults", () => {
    const { on, maxOperations, length, isMapped, isDirect, isShared, seed } = parseFsxOptions([]);
    assert.deepEqual(
      { on, maxOperations, length, isMapped, isDirect, isShared },
      { on: "tmpfs", maxOperations: 100_000, length: 262_144, isMapped: true, isDirect: true, isShared: false },
    );
    assert.ok(Number.isInteger(seed));
  });

  it("are taken", () => {
    const args = "--on swap --seed 7 --ops 10 --length 8192 --limit 9000000 --build shared --no-mmap --no-direct";
    const { on, seed, maxOperations, length, limit, isShared, isMapped, isDirect } = parseFsxOptions(args.split(" "));
    assert.deepEqual(
      [on, seed, maxOperations, length, limit, isShared, isMapped, isDirect],
      ["swap", 7, 10, 8192, 9_000_000, true, false, false],
    );
    assert.equal(parseFsxOptions(["--time", "2"]).maxMs, 2000);
  });

  it.each([
    [["--on", "floppy"], "floppy"],
    [["--ops", "-1"], "ops"],
    [["--length", "100"], "4096"],
    [["--build", "debug"], "shared"],
    [["--nonsense"], "nonsense"],
  ])("%j is refused, and says why", (args, word) => {
    assert.throws(
      () => parseFsxOptions(args),
      (error) => error instanceof UsageError && error.message.includes(word),
    );
  });
});
