/**
 * Whoever writes to what one file system gives must not change another: objects that two of them share are frozen.
 * Functions, classes and their prototypes can be patched, as Node's can.
 */
import nodeFs from "node:fs";
import { describe, expect, it } from "vitest";
import { createFsSync } from "../../../src/index-create.ts";
import * as exported from "../../../src/index-vfs.ts";
import { thrownBy } from "./host-face.ts";

/** Objects of the realm itself, and prototypes: they belong to everybody. */
function isOfTheRealm(value: object): boolean {
  return value === globalThis || Object.hasOwn(value, "constructor") || value instanceof WebAssembly.Module;
}

/** Every object that can be reached from `root` by its properties, with the way there. */
function reachable(root: object): Map<object, string> {
  const found = new Map<object, string>();
  const visit = (value: unknown, way: string): void => {
    if (value === null || typeof value !== "object" || found.has(value) || isOfTheRealm(value)) return;
    found.set(value, way);
    if (ArrayBuffer.isView(value) || value instanceof Map) return;
    for (const key of Reflect.ownKeys(value))
      visit((value as Record<PropertyKey, unknown>)[key], `${way}.${String(key)}`);
  };
  visit(root, "");
  return found;
}

describe("objects that faces share", () => {
  it("are frozen", () => {
    const [one, other] = [createFsSync(), createFsSync()].map((fs) =>
      reachable({ fs, types: fs.kernel.vfs.registeredTypes(), stats: fs.statSync("/"), listing: fs.readdirSync("/") }),
    );
    const shared = [...one].filter(([object]) => other.has(object));
    expect(shared.map(([, way]) => way)).toContain(".fs.constants");
    expect(shared.filter(([object]) => !Object.isFrozen(object)).map(([, way]) => way)).toEqual([]);
  });

  it("as well as what the package exports", () => {
    const objects = [...reachable({ ...exported })].filter(([object, way]) => way !== "" && !Object.isFrozen(object));
    const modules = [exported.stat, exported.libfs] as object[];
    expect(objects.filter(([object]) => !modules.includes(object)).map(([, way]) => way)).toEqual([]);
  });

  it.each(["constants", "promises.constants"])("refuse to be written as Node's: fs.%s", (name) => {
    const fs = createFsSync();
    const of = (owner: object) => name.split(".").reduce((at, key) => (at as never)[key], owner) as typeof fs.constants;
    const [own, nodes] = [of(fs), of(nodeFs)];
    const write = (constants: object) => () => Object.assign(constants, { O_CREAT: 1 });
    expect(thrownBy(write(own)).constructor).toBe(thrownBy(write(nodes)).constructor);
    expect(Object.getPrototypeOf(own)).toBe(null);
    expect(Object.getOwnPropertyDescriptor(own, "O_CREAT")).toEqual(Object.getOwnPropertyDescriptor(nodes, "O_CREAT"));
    expect(() => delete (own as { O_CREAT?: number }).O_CREAT).toThrow(TypeError);
  });
});
