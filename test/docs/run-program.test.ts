/** The docs' programs are only worth running if a wrong claim in them is found. */
import { expect, it } from "vitest";
import { runProgram } from "./run-program.ts";

it("finds a wrong value", async () => {
  await expect(runProgram("1 + 1; // → 3")).rejects.toThrow("1 + 1; // → 3");
});

it("finds a wrong value of a constant, which later lines can use", async () => {
  await runProgram("const two = 1 + 1; // → 2\ntwo; // → 2");
  await expect(runProgram("const two = 1 + 1; // → 3")).rejects.toThrow("// → 3");
});

it("finds an error that does not come, and another error", async () => {
  await expect(runProgram("1 + 1; // throws EACCES")).rejects.toThrow("no error");
  await expect(runProgram('throw { code: "ENOENT" }; // throws EACCES')).rejects.toThrow();
});

it("imports foliofs from the sources", async () => {
  await runProgram('import { createFsSync as make } from "foliofs";\nmake().existsSync("/"); // → true');
});

it("refuses modules that readers do not have", async () => {
  await expect(runProgram('import { it } from "vitest";\nit;')).rejects.toThrow("vitest");
});
