// Start to ready, idle memory, memory per open circuit, and what open pages send while nothing changes.
//   dotnet publish Krate.Web -c Release -o artifacts/published
//   scripts/measure-app.sh
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { chromium } = require(process.env.PLAYWRIGHT_PACKAGE);

const circuits = 20;
const quietSeconds = 60;
const port = 20000 + Math.floor(Math.random() * 10000);
const url = `http://127.0.0.1:${port}`;
const pause = ms => new Promise(done => setTimeout(done, ms));

async function main() {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
  const data = fs.mkdtempSync(path.join(os.tmpdir(), 'krate-measure-'));
  const began = performance.now();
  const app = spawn(path.resolve('artifacts/published/Krate.Web'), ['--demo', '--urls', url], { env: { ...process.env, Krate__Data: path.join(data, 'data') }, stdio: 'ignore' });
  try {
    while (!(await fetch(`${url}/readyz`).catch(() => null))?.ok) await pause(5);
    console.log(`start to ready: ${Math.round(performance.now() - began)} ms`);
    await pause(20000);
    console.log(`idle: ${megabytes(app.pid)} MB`);

    const context = await browser.newContext({ baseURL: url });
    const first = await open(context, true);
    await first.close();
    await pause(5000);
    const before = megabytes(app.pid);
    const pages = [];
    for (let i = 0; i < circuits; i++) pages.push(await open(context, false, i));
    await pause(5000);
    const after = megabytes(app.pid);
    console.log(`${circuits} open pages: ${before} MB before, ${after} MB after, ${((after - before) / circuits).toFixed(1)} MB per circuit`);

    let requests = 0, frames = 0;
    for (const page of pages) page.on('request', () => requests++);
    const quiet = pages.flatMap(p => p.sockets);
    for (const socket of quiet) for (const event of ['framesent', 'framereceived']) socket.on(event, () => frames++);
    const statements = await sent();
    await pause(quietSeconds * 1000);
    console.log(`${quietSeconds} s with ${circuits} open pages and no change: ${await sent() - statements} SQL statements, ${requests} requests, ${frames} WebSocket frames (keep-alive)`);
  } finally {
    await browser.close();
    app.kill('SIGTERM');
    await new Promise(done => app.on('exit', done));
    fs.rmSync(data, { recursive: true });
  }
}

async function open(context, signIn, i = 0) {
  const page = await context.newPage();
  page.sockets = [];
  page.on('websocket', socket => page.sockets.push(socket));
  const target = i % 2 ? '/orgs/acme/agents/stacks' : '/orgs/acme/resources/agentstacks/issue-triage';
  await page.goto(signIn ? '/signin?returnUrl=/orgs/acme' : target);
  if (signIn) await page.getByRole('button', { name: 'Continue as local developer' }).click();
  await page.waitForSelector('[data-testid=circuit][data-ready=true]', { state: 'attached' });
  return page;
}

const megabytes = pid => Math.round(Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024);

async function sent() {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(text.split('\n').find(l => l.startsWith('krate_store_statements')).replace(/^[^}]*}/, '').trim().split(' ')[0]);
}

main();
