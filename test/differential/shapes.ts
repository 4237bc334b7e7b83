/** The shape of the face: what is on the object, how its functions are called, what its classes look like. */
import { promisify } from "node:util";
import type { NodeFs } from "../helpers/subject.ts";
import type { Described } from "./describe.ts";

/** Not the same in all versions of Node. */
const HIDDEN = /^_toUnixTimestamp$/;
/** Methods of FileHandle that Node has under a flag. */
const FLAGGED_METHODS = /^pull|^writer$/;

function functionShape(value: unknown): string {
  if (typeof value !== "function") return typeof value;
  // Node's promises.watch shows the name that it has inside of Node.
  return `function ${value.name.replace(/^_/, "")}/${value.length}`;
}

/** Own enumerable keys, in their order, with what is behind each. */
function surface(owner: object): string[] {
  return Object.keys(owner)
    .filter((key) => !HIDDEN.test(key))
    .map((key) => `${key}: ${functionShape((owner as Record<string, unknown>)[key])}`);
}

function prototypeShape(value: object): string[] {
  const shapes: string[] = [];
  for (let proto = Object.getPrototypeOf(value); proto && proto !== Object.prototype; ) {
    const names = Object.getOwnPropertyNames(proto).filter((name) => !FLAGGED_METHODS.test(name));
    shapes.push(`${proto.constructor.name}: ${names.sort().join()}`);
    proto = Object.getPrototypeOf(proto);
  }
  return shapes;
}

/** Without `path`, which follows the Node that runs: shapes.test.ts has it. */
function direntShape(value: object): Described {
  const keys = Object.keys(value).filter((key) => key !== "path");
  return { keys: keys.join(), prototypes: prototypeShape(value).map((shape) => shape.replace(/,path$/, "")) };
}

function objectShape(value: object): Described {
  return { keys: Object.keys(value).join(), prototypes: prototypeShape(value) };
}

/** @param directory absolute path of an empty directory */
async function classShapes(fs: NodeFs, directory: string): Promise<Described> {
  fs.writeFileSync(`${directory}/f`, "");
  const handle = await fs.promises.open(`${directory}/f`, "r");
  const dir = fs.opendirSync(directory);
  const shapes = {
    Stats: objectShape(fs.statSync(`${directory}/f`)),
    BigIntStats: objectShape(fs.statSync(`${directory}/f`, { bigint: true })),
    StatFs: objectShape(fs.statfsSync(directory)),
    Dirent: direntShape(fs.readdirSync(directory, { withFileTypes: true })[0]),
    "Dirent of a Dir": direntShape(dir.readSync() as object),
    Dir: { prototypes: prototypeShape(dir) },
    // Its inner parents are Node's own.
    FileHandle: { prototype: prototypeShape(handle)[0] },
  };
  dir.closeSync();
  await handle.close();
  return shapes;
}

async function promisified(fs: NodeFs, directory: string): Promise<Described> {
  fs.writeFileSync(`${directory}/p`, "text");
  const fd = fs.openSync(`${directory}/p`, "r+");
  const shapes = {
    exists: await promisify(fs.exists)(`${directory}/p`),
    read: Object.keys(await promisify(fs.read)(fd, Buffer.alloc(2), 0, 2, 0)).join(),
    write: Object.keys(await promisify(fs.write)(fd, Buffer.alloc(2), 0, 2, 0)).join(),
    readv: Object.keys(await promisify(fs.readv)(fd, [Buffer.alloc(2)], 0)).join(),
    writev: Object.keys(await promisify(fs.writev)(fd, [Buffer.alloc(2)], 0)).join(),
    readFile: typeof (await promisify(fs.readFile)(`${directory}/p`, "utf8")),
  };
  fs.closeSync(fd);
  return shapes;
}

/** @param directory absolute path of an empty directory */
export async function shapesOf(fs: NodeFs, directory: string): Promise<{ [key: string]: Described }> {
  return {
    fs: surface(fs).sort(),
    promises: surface(fs.promises).sort(),
    constants: Object.entries(fs.constants).map(([name, value]) => `${name}=${value}`),
    classes: await classShapes(fs, directory),
    promisified: await promisified(fs, directory),
  };
}
