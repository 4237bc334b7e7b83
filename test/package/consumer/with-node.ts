/** What must compile besides where a program has Node's types: a face goes wherever node:fs goes, without a cast. */

import * as nodeFs from "node:fs";
import type * as nodePromises from "node:fs/promises";
import { promisify } from "node:util";
import { createFsSync } from "foliofs";
// biome-ignore lint/style/useNodejsImportProtocol: the bare name is one more way to say it
import type * as bareFs from "fs";

const fs = createFsSync();

declare function takesFs(fs: typeof import("node:fs")): void;
declare function takesBareFs(fs: typeof bareFs): void;
declare function takesPromises(promises: typeof nodePromises): void;
declare function takesSome(fs: Pick<typeof nodeFs, "createReadStream" | "stat">): void;
declare function takesStats(stats: nodeFs.Stats, entry: nodeFs.Dirent): void;

takesFs(fs);
takesBareFs(fs);
takesPromises(fs.promises);
takesSome(fs);
takesStats(fs.statSync("/"), fs.readdirSync("/", { withFileTypes: true })[0]);

const either: typeof nodeFs = Math.random() < 2 ? fs : nodeFs;
const buffer: Buffer = either.readFileSync("/x");
const text: string = fs.readFileSync("/x").toString("base64");
const url: string = fs.realpathSync(new URL("file:///x"));
export const later: Promise<string> = promisify(fs.readFile)("/x", "utf8");
const error: NodeJS.ErrnoException | undefined = undefined;

// @ts-expect-error stats are no text
const wrong: string = fs.statSync("/x");

console.log(buffer, text, url, error, wrong);
