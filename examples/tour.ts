/** A walk through the calls of a file system in memory. After `npm run build`: node --import tsx examples/tour.ts */
import assert from "node:assert/strict";
import { createFsSync, stat } from "foliofs";

const fs = createFsSync({ memoryLimit: 64 * 2 ** 20 });

// The same calls as in node:fs.
fs.mkdirSync("/project/src", { recursive: true }); // → "/project"
fs.writeFileSync("/project/src/index.js", "export {};\n");
fs.symlinkSync("src/index.js", "/project/main.js");
fs.readFileSync("/project/main.js", "utf8"); // → "export {};\n"
fs.readdirSync("/project"); // → ["main.js", "src"]

// Errors are Node's own.
assert.throws(() => fs.rmdirSync("/project"), { code: "ENOTEMPTY" });
assert.throws(() => fs.renameSync("/project", "/project/src/project"), { code: "EINVAL" });

// An open file outlives its name.
const fd = fs.openSync("/project/src/index.js", "r+");
fs.unlinkSync("/project/src/index.js");
fs.fstatSync(fd).nlink; // → 0
fs.writeSync(fd, "// ", 0); // → 3
fs.readSync(fd, new Uint8Array(16), 0, 16, 0); // → 11
fs.closeSync(fd);

// Holes cost nothing, and can be made again.
const sparse = fs.openSync("/sparse", "w");
fs.writeSync(sparse, new Uint8Array(65536));
fs.fallocateSync(sparse, stat.FALLOC_FL_PUNCH_HOLE | stat.FALLOC_FL_KEEP_SIZE, 4096, 8192);
fs.fstatSync(sparse).blocks; // → 112
fs.lseekSync(sparse, 0, stat.SEEK_HOLE); // → 4096
fs.closeSync(sparse);

const { nr_inodes: inodes, nr_file_pages: pages, bytes_used: bytes } = fs.kernel.vmstat();
console.log(`${inodes} inodes and ${pages} pages of data in ${bytes} bytes`);
