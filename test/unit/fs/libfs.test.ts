/** What libfs lends: borrowed whole (ramfs), and with one operation replaced. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import {
  ATTR_ATIME,
  ATTR_ATIME_SET,
  ATTR_CTIME,
  ATTR_FILE,
  ATTR_GID,
  ATTR_MODE,
  ATTR_MTIME,
  ATTR_MTIME_SET,
  ATTR_OPEN,
  ATTR_SIZE,
  ATTR_TIMES_SET,
  ATTR_UID,
  createFsSync,
  Dentry,
  EACCES,
  type FileSystemType,
  type FolioFs,
  Inode,
  type InodeOperations,
  libfs,
  ramfs,
} from "../../../src/index.ts";
import { outcomeOf } from "../../helpers/subject.ts";

function mounted(type: FileSystemType, data = ""): FolioFs {
  const fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: type === ramfs ? [] : [type] });
  fs.mkdirSync("/m");
  fs.kernel.mount({ type: type.name, target: "/m", data });
  return fs;
}

/** A file system whose files shout: what is written is stored in upper case. */
const upperfs: FileSystemType = {
  ...ramfs,
  name: "upperfs",
  tables: [
    {
      inode: libfs.simpleFileInodeOperations,
      file: {
        ...libfs.simpleFileOperations,
        write: (kernel, file, buffer, offset, length, position) => {
          const text = Buffer.from(buffer.subarray(offset, offset + length))
            .toString("latin1")
            .toUpperCase();
          return (
            libfs.simpleFileOperations.write?.(kernel, file, Buffer.from(text, "latin1"), 0, length, position) ?? 0
          );
        },
      },
      mapping: libfs.ramAops,
    },
    ...ramfs.tables.slice(1),
  ],
};

describe("ramfs", () => {
  it("takes mode, uid and gid, and ignores what it does not know, as Linux does", () => {
    const fs = mounted(ramfs, "mode=1770,uid=7,gid=8,size=10k,whatever");
    const { mode, uid, gid } = fs.statSync("/m");
    assert.deepEqual([mode & 0o7777, uid, gid], [0o1770, 7, 8]);
    fs.writeFileSync("/m/f", Buffer.alloc(100_000));
  });

  it("refuses values that are no numbers", () => {
    for (const data of ["mode=abc", "mode=9", "mode=", "mode", "uid=-1", "gid=0xg"]) {
      assert.equal(
        outcomeOf(() => mounted(ramfs, data)),
        "EINVAL",
        data,
      );
    }
  });

  it("is told by statfs, without numbers of its own", () => {
    const { type, bsize, blocks, files } = mounted(ramfs).statfsSync("/m");
    assert.deepEqual([type, bsize, blocks, files], [0x858458f6, 4096, 0, 0]);
  });

  it("starts every file system with its own inode numbers", () => {
    const fs = mounted(ramfs);
    fs.writeFileSync("/m/f", "");
    fs.writeFileSync("/f", "");
    assert.equal(fs.statSync("/m").ino, fs.statSync("/").ino);
    assert.notEqual(fs.statSync("/m/f").dev, fs.statSync("/f").dev);
  });
});

describe("a file system with one operation of its own", () => {
  it("is asked for it whatever call leads there", () => {
    const fs = mounted(upperfs);
    fs.writeFileSync("/m/f", "some text");
    fs.appendFileSync("/m/f", ", more");
    fs.writeFileSync("/plain", "copied");
    fs.copyFileSync("/plain", "/m/copy");
    fs.copyFileSync("/m/copy", "/m/again");
    const [from, to] = [fs.openSync("/plain", "r"), fs.openSync("/m/range", "w")];
    assert.equal(fs.copyFileRangeSync(from, 1, to, 0, 4), 4);
    assert.equal(fs.readFileSync("/m/f", "utf8"), "SOME TEXT, MORE");
    assert.equal(fs.readFileSync("/m/copy", "utf8"), "COPIED");
    assert.equal(fs.readFileSync("/m/again", "utf8"), "COPIED");
    assert.equal(fs.readFileSync("/m/range", "utf8"), "OPIE");
    fs.writevSync(to, [Buffer.from("x"), Buffer.from("yz")], 0);
    assert.equal(fs.readFileSync("/m/range", "utf8"), "XYZE");
  });

  it("may refuse changes of attributes", () => {
    const asked: number[] = [];
    const setattr: InodeOperations["setattr"] = (_kernel, _inode, attr) => {
      asked.push(attr.valid);
      return -EACCES;
    };
    const strictfs: FileSystemType = {
      ...ramfs,
      name: "strictfs",
      tables: ramfs.tables.map((table, kind) => (kind === 0 ? { ...table, inode: { setattr } } : table)),
    };
    const fs = mounted(strictfs);
    fs.writeFileSync("/m/f", "data");
    const fd = fs.openSync("/m/f", "r+");
    const calls: (() => void)[] = [
      () => fs.chmodSync("/m/f", 0o600),
      () => fs.chownSync("/m/f", 1, 1),
      () => fs.utimesSync("/m/f", 1, 1),
      () => fs.truncateSync("/m/f", 1),
      () => fs.ftruncateSync(fd, 1),
      () => fs.writeFileSync("/m/f", ""),
    ];
    for (const call of calls) assert.equal(outcomeOf(call), "EACCES", String(call));
    assert.deepEqual(asked, [
      ATTR_MODE | ATTR_CTIME,
      ATTR_UID | ATTR_GID | ATTR_CTIME,
      ATTR_ATIME | ATTR_ATIME_SET | ATTR_MTIME | ATTR_MTIME_SET | ATTR_TIMES_SET | ATTR_CTIME,
      ATTR_SIZE | ATTR_MTIME | ATTR_CTIME | ATTR_FILE, // Node opens, too, what truncate() names
      ATTR_SIZE | ATTR_MTIME | ATTR_CTIME | ATTR_FILE,
      ATTR_SIZE | ATTR_MTIME | ATTR_CTIME | ATTR_FILE | ATTR_OPEN,
    ]);
    const { mode, uid, size } = fs.statSync("/m/f");
    assert.deepEqual([mode & 0o777, uid, size], [0o644, 0, 4]);
    fs.writeSync(fd, "DATA");
    fs.closeSync(fd);
    assert.equal(fs.kernel.vmstat().nr_files, 0);
  });

  it("is asked for every rename, if that is the one", () => {
    const log: string[] = [];
    const logfs: FileSystemType = {
      ...ramfs,
      name: "logfs",
      tables: ramfs.tables.map((table) => ({
        ...table,
        inode: {
          ...table.inode,
          rename: (kernel, oldDir, oldDentry, newDir, newDentry, flags) => {
            log.push(Buffer.from(new Dentry(kernel, newDentry).name).toString());
            return log.length > 1 ? -EACCES : libfs.simpleRename(kernel, oldDir, oldDentry, newDir, newDentry, flags);
          },
        },
      })),
    };
    const fs = mounted(logfs);
    fs.writeFileSync("/m/a", "");
    fs.renameSync("/m/a", "/m/b");
    assert.equal(
      outcomeOf(() => fs.renameSync("/m/b", "/m/c")),
      "EACCES",
    );
    assert.deepEqual([log, fs.readdirSync("/m")], [["b", "c"], ["b"]]);
  });

  it("takes no names away in a directory that has no operation for it", () => {
    const fixedfs: FileSystemType = {
      ...ramfs,
      name: "fixedfs",
      tables: ramfs.tables.map(({ inode: { unlink: _, rename: __, ...inode }, ...table }) => ({ ...table, inode })),
    };
    const fs = mounted(fixedfs);
    fs.writeFileSync("/m/a", "");
    for (const call of [() => fs.unlinkSync("/m/a"), () => fs.renameSync("/m/a", "/m/b")]) {
      assert.equal(outcomeOf(call), "EPERM");
    }
    assert.deepEqual(fs.readdirSync("/m"), ["a"]);
  });

  it("may refuse to open, and hears when the last descriptor is closed", () => {
    const log: string[] = [];
    const doorfs: FileSystemType = {
      ...ramfs,
      name: "doorfs",
      tables: ramfs.tables.map((table, kind) =>
        kind !== 0
          ? table
          : {
              ...table,
              file: {
                ...table.file,
                open: (kernel, inode) => {
                  log.push(`open ${new Inode(kernel, inode).size}`);
                  return new Inode(kernel, inode).size > 5 ? -EACCES : 0;
                },
                release: () => void log.push("release"),
              },
            },
      ),
    };
    const fs = mounted(doorfs);
    fs.writeFileSync("/m/f", "data");
    fs.appendFileSync("/m/f", "more");
    assert.equal(
      outcomeOf(() => fs.readFileSync("/m/f")),
      "EACCES",
    );
    assert.deepEqual(log, ["open 0", "release", "open 4", "release", "open 8"]);
    assert.equal(fs.kernel.vmstat().nr_files, 0);
    const task = fs.kernel.task();
    fs.writeFileSync("/m/g", "");
    log.length = 0;
    task.openSync("/m/g", "r");
    assert.deepEqual(log, ["open 0"]);
    fs.kernel.exit(task);
    assert.equal(log.at(-1), "release");
  });
});
