/** The example that people copy: it must do all of what it says. */
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "vitest";
import { nukofs } from "../../examples/nukofs.ts";
import { createFsSync, type FolioFs, MS_REMOUNT, restoreFsSync } from "../../src/index.ts";
import { outcomeOf } from "../helpers/subject.ts";

const MAX_LINES = 120;

let fs: FolioFs;

beforeEach(() => {
  fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [nukofs] });
  fs.mkdirSync("/nuko");
});

function mount(data = ""): void {
  fs.kernel.mount({ type: "nukofs", target: "/nuko", data });
}

function fillUp(): void {
  for (let i = 0; fs.statfsSync("/nuko").ffree > 0; i++) fs.writeFileSync(`/nuko/${i}`, `life ${i}`);
}

describe("nukofs", () => {
  it("does what a file system does", () => {
    mount("lives=20");
    fs.mkdirSync("/nuko/a/b", { recursive: true });
    fs.writeFileSync("/nuko/a/b/f", "miaow");
    fs.linkSync("/nuko/a/b/f", "/nuko/g");
    fs.symlinkSync("a/b/f", "/nuko/l");
    fs.mknodSync("/nuko/p", 0o010644);
    fs.renameSync("/nuko/a/b/f", "/nuko/a/h");

    assert.equal(fs.readFileSync("/nuko/g", "utf8"), "miaow");
    assert.equal(fs.statSync("/nuko/a/h").nlink, 2);
    assert.deepEqual(fs.readdirSync("/nuko"), ["a", "g", "l", "p"]);
    assert.equal(fs.lstatSync("/nuko/p").isFIFO(), true);
    assert.equal(fs.readlinkSync("/nuko/l"), "a/b/f");
    assert.equal(
      outcomeOf(() => fs.readFileSync("/nuko/l")),
      "ENOENT",
    );
    fs.rmSync("/nuko/a", { recursive: true });
    assert.equal(fs.statSync("/nuko/g").nlink, 1);
    fs.kernel.umount("/nuko");
    assert.deepEqual(fs.readdirSync("/nuko"), []);
  });

  it("has nine lives, and takes them back", () => {
    mount();
    assert.equal(fs.statfsSync("/nuko").files, 9);
    fillUp();

    assert.equal(fs.readdirSync("/nuko").length, 8);
    assert.equal(
      outcomeOf(() => fs.writeFileSync("/nuko/x", "")),
      "ENOSPC",
    );
    assert.equal(
      outcomeOf(() => fs.mkdirSync("/nuko/x")),
      "ENOSPC",
    );
    assert.equal(
      outcomeOf(() => fs.symlinkSync("t", "/nuko/x")),
      "ENOSPC",
    );
    assert.equal(
      outcomeOf(() => fs.mknodSync("/nuko/x", 0o010644)),
      "ENOSPC",
    );
    assert.equal(fs.existsSync("/nuko/x"), false);
    fs.linkSync("/nuko/0", "/nuko/x");
    fs.unlinkSync("/nuko/1");
    assert.equal(fs.statfsSync("/nuko").ffree, 1);
    fs.mkdirSync("/nuko/1");
  });

  it("counts a life as lived while its file is open", () => {
    mount("lives=2");
    const fd = fs.openSync("/nuko/f", "w");
    fs.unlinkSync("/nuko/f");
    assert.equal(
      outcomeOf(() => fs.writeFileSync("/nuko/g", "")),
      "ENOSPC",
    );
    fs.closeSync(fd);
    fs.writeFileSync("/nuko/g", "");
  });

  it("shows its options, and takes new ones", () => {
    mount("noatime,lives=5");
    const shown = () => fs.kernel.mounts().find(({ target }) => target === "/nuko")?.options;
    const remount = (data: string) => fs.kernel.mount({ target: "/nuko", flags: MS_REMOUNT, data });

    assert.equal(shown(), "rw,noatime,lives=5");
    fillUp();
    assert.equal(
      outcomeOf(() => remount("lives=4")),
      "EBUSY",
    );
    assert.equal(
      outcomeOf(() => remount("lives=none")),
      "EINVAL",
    );
    remount("lives=6");
    fs.writeFileSync("/nuko/one-more", "");
    remount("ro");
    assert.equal(shown(), "ro,noatime,lives=6");
    assert.equal(
      outcomeOf(() => fs.unlinkSync("/nuko/0")),
      "EROFS",
    );
  });

  it("refuses options that it does not know", () => {
    for (const data of ["lives=0", "lives=-1", "lives=1e3", "lives=", "deaths=9", "lives=9,x"]) {
      assert.equal(
        outcomeOf(() => mount(data)),
        "EINVAL",
        data,
      );
    }
    assert.equal(fs.kernel.mounts().length, 1);
  });

  it("is in snapshots and forks with its limit", () => {
    mount("lives=3");
    fs.writeFileSync("/nuko/f", "kept");
    const bytes = fs.kernel.snapshot();
    const copies = [restoreFsSync(bytes, { types: [nukofs] }), fs.kernel.fork().fs];

    for (const copy of copies) {
      assert.equal(copy.readFileSync("/nuko/f", "utf8"), "kept");
      copy.mkdirSync("/nuko/d");
      assert.equal(
        outcomeOf(() => copy.mkdirSync("/nuko/e")),
        "ENOSPC",
      );
    }
    assert.equal(fs.existsSync("/nuko/d"), false);
    assert.throws(() => restoreFsSync(bytes), /needs the file system types nukofs: pass them as options\.types/);
  });

  it("stays small enough to be read", async () => {
    const { readFileSync } = await import("node:fs");
    const lines = readFileSync(new URL("../../examples/nukofs.ts", import.meta.url), "utf8").split("\n").length;
    assert.ok(lines <= MAX_LINES, `${lines} lines`);
  });
});
