// Opens examples/browser as a person does, clicks each button, and prints what the page says.
//
//   node example.mjs PAGE COLLECTOR WRITE_KEY [SCREENSHOT]
import { pathToFileURL } from "node:url";
import { launch } from "./chromium.mjs";

const [page, collector, writeKey, screenshot] = process.argv.slice(2);
const browser = await launch();
const tab = await browser.newPage();
tab.setDefaultTimeout(0);
await tab.goto(pathToFileURL(page).href);
await tab.getByLabel("Collector").fill(collector);
await tab.getByLabel("Write key").fill(writeKey);
for (const [count, button] of ["Say who I am", "Buy a book", "Look at a page"].entries()) {
  await tab.getByRole("button", { name: button }).click();
  await tab.getByRole("listitem").nth(count).waitFor();
}
console.log(JSON.stringify(await tab.getByRole("listitem").allTextContents()));
if (screenshot) {
  await tab.screenshot({ path: screenshot });
}
await browser.close();
