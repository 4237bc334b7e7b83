/** Working directories: made with a new file system, or the process's own at each call. */
import { strict as assert } from "node:assert";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, it } from "vitest";
import { createFsSync } from "../../../src/index.ts";
import { outcomeOf } from "../../helpers/subject.ts";

const SMALL = { memoryLimit: 16 * 2 ** 20 };
const home = process.cwd();
const elsewhere = mkdtempSync(join(tmpdir(), "foliofs-cwd-"));

afterEach(() => process.chdir(home));
afterAll(() => rmdirSync(elsewhere));

describe("cwd of a new file system", () => {
  it("is made, by the first task", () => {
    const fs = createFsSync({ ...SMALL, cwd: home, uid: 5, umask: 0o027 });
    fs.fromJSON({ "./a.json": "1" }, home);
    assert.equal(fs.readFileSync("a.json", "utf8"), "1");
    assert.equal(fs.task.cwd(), home);
    const { uid, mode } = fs.statSync(home);
    assert.deepEqual([uid, mode & 0o7777], [5, 0o750]);
  });

  it.each(["/", "a/b", "/a//b/", "/a/../b", "."])("may be %s", (cwd) => {
    createFsSync({ ...SMALL, cwd }).writeFileSync("f", "");
  });

  it("names the option when it cannot be", () => {
    assert.throws(() => createFsSync({ ...SMALL, cwd: `/${"x".repeat(256)}` }), {
      code: "ENAMETOOLONG",
      message: /options\.cwd/,
    });
    assert.throws(() => createFsSync({ ...SMALL, cwd: "a\0b" }), {
      code: "ERR_INVALID_ARG_VALUE",
      message: /options\.cwd/,
    });
  });
});

describe("cwd: true", () => {
  it("is where the process stands, at each call and in every form", async () => {
    const fs = createFsSync({ ...SMALL, cwd: true });
    fs.writeFileSync("f", "here");
    fs.mkdirSync(elsewhere, { recursive: true });
    process.chdir(elsewhere);
    assert.equal(fs.existsSync("f"), false);
    fs.writeFileSync("f", "there");
    fs.symlinkSync("f", "l");
    fs.linkSync("f", Buffer.from("m"));
    fs.renameSync("m", "n");
    await fs.promises.appendFile("n", "!");
    assert.equal(fs.readFileSync(`${elsewhere}/l`, "utf8"), "there!");
    assert.equal(fs.task.cwd(), elsewhere);
    assert.equal(fs.realpathSync("l"), `${elsewhere}/f`);
    assert.deepEqual(fs.readdirSync(".", { recursive: true }), ["f", "l", "n"]);
    process.chdir(home);
    assert.equal(fs.readFileSync("f", "utf8"), "here");
    assert.equal(fs.readFileSync(`${home}/f`, "utf8"), "here");
    assert.equal(
      outcomeOf(() => fs.statSync("")),
      "ENOENT",
    );
  });

  it("is an error where the process stands in a directory that is not there, and errors show the path as given", () => {
    const fs = createFsSync({ ...SMALL, cwd: true });
    process.chdir(elsewhere);
    assert.throws(() => fs.writeFileSync("f", ""), { code: "ENOENT", path: "f" });
    assert.throws(() => fs.renameSync("f", "g"), { code: "ENOENT", path: "f", dest: "g" });
    fs.fromJSON({ "./a/b": "made" });
    assert.equal(fs.readFileSync("a/b", "utf8"), "made");
  });

  it("holds for mounts and for tasks of their own, in snapshots, and until the task goes its own ways", () => {
    const fs = createFsSync({ ...SMALL, cwd: true });
    fs.mkdirSync("mnt");
    fs.mkdirSync("src");
    fs.kernel.mount({ type: "ramfs", target: "mnt" });
    fs.kernel.umount("mnt");
    fs.kernel.mount({ source: "src", target: "mnt", data: "", flags: 4096 });
    assert.equal(fs.kernel.mounts().at(-1)?.target, `${home}/mnt`);
    fs.kernel.umount("mnt");
    const task = fs.kernel.task({ uid: 0, cwd: true });
    task.writeFileSync("g", "");
    assert.equal(fs.existsSync("g"), true);
    assert.equal(fs.kernel.fork().fs.existsSync("g"), true);
    task.task.chdir("src");
    task.writeFileSync("h", "");
    process.chdir(elsewhere);
    assert.equal(fs.existsSync(`${home}/src/h`), true);
    assert.equal(task.existsSync("h"), true);
  });
});
