// Debian's Chromium, headless, which talks to this machine alone.
import { chromium } from "playwright-core";

export const launch = () =>
  chromium.launch({
    timeout: 0, // Whoever runs the driver has the patience.
    executablePath: "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
