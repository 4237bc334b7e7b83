/** Runs the programs of test/programs/sandbox, which compare an adapter with its package's own file system. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeProgramFolder } from "./program-folder.ts";

const SOURCE = new URL("sandbox/", import.meta.url);

/** Runs `use` in a folder with the programs. */
function inFolder<T>(use: (user: ReturnType<typeof makeProgramFolder>) => T): T {
  const user = makeProgramFolder();
  try {
    user.write(
      Object.fromEntries(readdirSync(SOURCE).map((name) => [name, readFileSync(new URL(name, SOURCE), "utf8")])),
    );
    return use(user);
  } finally {
    user.remove();
  }
}

/** What a program says: a line of JSON each. */
export function toldBy(program: string): unknown[] {
  return inFolder((user) => {
    const lines = user.run(process.execPath, [program]).trim().split("\n");
    return lines.map((line) => JSON.parse(line));
  });
}

/** Compiles a program with the packages' own types. @throws Error with what the compiler says */
export function compile(source: string): void {
  inFolder((user) => {
    const tsc = join(user.packages, "node_modules/typescript/bin/tsc");
    const options = ["--module", "nodenext", "--target", "es2022", "--strict", "--skipLibCheck"];
    user.write({ "package.json": '{"type":"module","private":true}', "program.ts": source });
    user.run(process.execPath, [tsc, "--noEmit", ...options, "program.ts"]);
  });
}
