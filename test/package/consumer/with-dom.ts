/** What must compile besides in a program for browsers. */
import { createFsSync } from "foliofs";

const fs = createFsSync();
const blob = new Blob([fs.readFileSync("/x")]);
const module: WebAssembly.Module = new WebAssembly.Module(fs.readFileSync("/x.wasm"));

fs.existsSync(new URL("file:///x"));
fs.promises.writeFile("/x", "text", { signal: AbortSignal.timeout(5) });

export { blob, module };
