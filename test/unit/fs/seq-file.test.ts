/** Files whose content a function makes: when it is made, in which pieces it is read, what is escaped. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import {
  createFsSync,
  type FileSystemType,
  type FolioFs,
  Inode,
  type InodeHandle,
  libfs,
  stat,
} from "../../../src/index.ts";
import { SeqFile, type Show, seqFileOperations } from "../../../src/store.ts";

const DIRECTORY = 0;
const FILE = 1;

/** A file system with one file, `/mnt/file`, that `show` makes. */
function fsShowing(show: Show): FolioFs {
  const type: FileSystemType = {
    name: "showfs",
    fsFlags: 0,
    tables: [
      {
        inode: {
          lookup: (kernel, dir, dentry) => {
            const inode = kernel.core.x.inodeNew(kernel.sbOf(dir).handle, stat.S_IFREG | 0o644, 0, 0, kernel.now());
            if (inode < 0) return inode;
            new Inode(kernel, inode as InodeHandle).kind = FILE;
            kernel.core.x.dInstantiate(dentry, inode as InodeHandle);
            return 0;
          },
        },
        file: {},
        mapping: {},
      },
      { inode: {}, file: seqFileOperations(show), mapping: {} },
    ],
    superOps: { statfs: libfs.simpleStatfs },
    fillSuper: (sb) => sb.makeRoot(0o755, 0, 0, DIRECTORY),
  };
  const fs = createFsSync({ memoryLimit: 8 * 2 ** 20, types: [type] });
  fs.mkdirSync("/mnt");
  fs.kernel.mount({ type: "showfs", target: "/mnt" });
  return fs;
}

/** A number that each look at the file raises. */
function counting(): { show: Show; nr: () => number } {
  let nr = 0;
  return { show: (m) => m.puts(`look ${++nr}, ${"x".repeat(20)}\n`), nr: () => nr };
}

describe("content", () => {
  it("is made by the first read, not by open", () => {
    const { show, nr } = counting();
    const fs = fsShowing(show);
    const fd = fs.openSync("/mnt/file", "r");
    assert.equal(nr(), 0);
    assert.equal(fs.fstatSync(fd).size, 0);
    assert.equal(fs.readFileSync(fd, "utf8"), `look 1, ${"x".repeat(20)}\n`);
    fs.closeSync(fd);
    assert.equal(nr(), 1);
  });

  it("stays while it is read on, and is made anew from the beginning", () => {
    const { show } = counting();
    const fs = fsShowing(show);
    const fd = fs.openSync("/mnt/file", "r");
    const read = (position: number | null, length = 6) => {
      const buffer = Buffer.alloc(length);
      return buffer.toString("utf8", 0, fs.readSync(fd, buffer, 0, length, position));
    };
    assert.equal(read(null), "look 1");
    assert.equal(read(null), ", xxxx");
    assert.equal(read(5, 3), "1, ");
    assert.equal(read(0), "look 2");
    assert.equal(read(null), "xxxxxx");
    assert.equal(read(28), "\n");
    assert.equal(read(29), "");
    assert.equal(read(2 ** 40), "");
    fs.closeSync(fd);
  });

  it("is each open file's own, and one that is given the record of another has none", () => {
    const { show } = counting();
    const fs = fsShowing(show);
    const text = (fd: number) => fs.readFileSync(fd, "utf8").slice(0, 6);
    const [a, b] = [fs.openSync("/mnt/file", "r"), fs.openSync("/mnt/file", "r")];
    assert.deepEqual([text(a), text(b)], ["look 1", "look 2"]);
    fs.closeSync(a);
    const c = fs.openSync("/mnt/file", "r");
    const buffer = Buffer.alloc(6);
    fs.readSync(c, buffer, 0, 6, 5); // at a position at once
    assert.equal(String(buffer), "3, xxx");
    fs.closeSync(b);
    fs.closeSync(c);
  });

  it("may be larger than any buffer, and comes through every form of reading", async () => {
    const content = "0123456789abcdef".repeat(20_000);
    const fs = fsShowing((m) => m.puts(content));
    assert.ok(fs.readFileSync("/mnt/file", "utf8") === content);
    assert.ok((await fs.promises.readFile("/mnt/file", "utf8")) === content);
    const fd = fs.openSync("/mnt/file", "r");
    const buffers = [Buffer.alloc(10), Buffer.alloc(0), Buffer.alloc(30)];
    assert.equal(fs.readvSync(fd, buffers, 6), 40);
    assert.equal(String(Buffer.concat(buffers)), content.slice(6, 46));
    fs.closeSync(fd);
  });
});

describe("errors", () => {
  it("are what show answers, and nothing is kept of them", () => {
    let rc = -5; // EIO
    const fs = fsShowing((m) => (rc < 0 ? rc : m.puts("well")));
    const fd = fs.openSync("/mnt/file", "r");
    assert.throws(() => fs.readFileSync(fd), { code: "EIO", syscall: "read" });
    rc = 0;
    assert.equal(fs.readFileSync(fd, "utf8"), "well");
    fs.closeSync(fd);
  });

  it("are EINVAL for writing, EBADF where the file is not open for it", () => {
    const fs = fsShowing((m) => m.puts("text"));
    assert.throws(() => fs.writeFileSync("/mnt/file", "x"), { code: "EINVAL", syscall: "write" });
    const [r, w] = [fs.openSync("/mnt/file", "r"), fs.openSync("/mnt/file", "a")];
    assert.throws(() => fs.writeSync(r, "x"), { code: "EBADF" });
    assert.throws(() => fs.readSync(w, Buffer.alloc(1)), { code: "EBADF" });
    fs.closeSync(r);
    fs.closeSync(w);
  });
});

describe("SeqFile", () => {
  const shown = (m: SeqFile) => Buffer.from(m.content()).toString("latin1");

  it("puts text and bytes one after the other", () => {
    assert.equal(shown(new SeqFile()), "");
    assert.equal(shown(new SeqFile().puts("a é ").write(Uint8Array.of(0xff)).puts("z")), "a Ã© \xffz");
  });

  it("escapes what is told, by byte", () => {
    assert.equal(shown(new SeqFile().escape("a b\tc\nd\\e#")), "a\\040b\\011c\\012d\\134e#");
    assert.equal(shown(new SeqFile().escape("a#b c", "#")), "a\\043b c");
    assert.equal(shown(new SeqFile().escape(Uint8Array.of(0xfe, 0x20, 0x00))), "\xfe\\040\x00");
  });
});
