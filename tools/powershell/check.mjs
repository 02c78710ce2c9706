// Reads scripts by the grammar of PowerShell and names each place that is none of it. Debian has no PowerShell.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Language, Parser } from "web-tree-sitter";

await Parser.init();
const parser = new Parser();
const grammar = createRequire(import.meta.url).resolve("tree-sitter-powershell/tree-sitter-powershell.wasm");
parser.setLanguage(await Language.load(readFileSync(grammar)));

// wrong yields what of a tree is no PowerShell.
function* wrong(node) {
  if (node.isError || node.isMissing) yield node;
  else if (node.hasError) for (const child of node.children) yield* wrong(child);
}

// A check that finds nothing wrong with anything finds nothing.
const broken = ["if ($a) { 1", "$a = 'open", "foreach ($x in ) { }", "$x = @{ a = 1", '$s = "x $(1 "', "try { 1 }}"];
const missed = broken.filter((text) => !parser.parse(text).rootNode.hasError);
for (const text of missed) console.error(`not seen as broken: ${text}`);

let found = missed.length;
for (const file of process.argv.slice(2)) {
  for (const node of wrong(parser.parse(readFileSync(file, "utf8")).rootNode)) {
    found++;
    const { row, column } = node.startPosition;
    const what = node.isMissing ? `${node.type} is missing` : `no PowerShell: ${node.text.slice(0, 80)}`;
    console.error(`${file}:${row + 1}:${column + 1}: ${what}`);
  }
}
if (process.argv.length < 3) throw new Error("name the scripts to read");
process.exit(found ? 1 : 0);
